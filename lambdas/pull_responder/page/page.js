"use strict";
const spoken = document.getElementById("spoken");
for (const button of document.querySelectorAll("button[data-copies]")) {
  const command = document.getElementById(button.dataset.copies);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const selection = getSelection();
    selection.selectAllChildren(command);
    let copied = true;
    try {
      await navigator.clipboard.writeText(command.textContent);
    } catch {
      copied = document.execCommand("copy");
    }
    const words = copied ? "Copied" : "Selected";
    button.textContent = words;
    spoken.textContent = words + ": " + command.textContent.slice(0, 80);
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
}
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
