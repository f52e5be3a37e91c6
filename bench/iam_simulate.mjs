// Runs @cloud-copilot/iam-simulate on cases in the form that `pull-responder evaluate` reads.
//
//   node iam_simulate.mjs decide            reads cases as JSON Lines on standard input, prints {"id","decision"} lines
//   node iam_simulate.mjs time FILE         for each line on standard input, measures one round on the cases of FILE and
//                                           prints {"repeated","first"} in seconds; at the end prints {"answers"}
//
// It runs in its own process and is for development only: its license is AGPL, and the product does not include it.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { runSimulation } from '@cloud-copilot/iam-simulate'

const QUESTIONS = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchCheckLayerAvailability']

const named = (policies, kind) => (policies ?? []).map((policy, index) => ({ name: `${kind}${index}`, policy }))
const levels = (tree) =>
  (tree ?? []).map((level, index) => ({ orgIdentifier: `level${index}`, policies: named(level, 'control') }))
// iam-simulate adds RCPFullAWSAccess itself, and rejects any Allow in a resource control policy.
const withoutAllows = (tree) =>
  (tree ?? []).map((level) => level.filter((policy) => policy.Statement.every((each) => each.Effect === 'Deny')))
const some = (policies, kind) => (policies?.length ? named(policies, kind) : undefined)

function simulation(one, action) {
  return {
    request: {
      principal: one.request.principal,
      action: action ?? one.request.action,
      resource: { resource: one.request.resource.arn, accountId: one.request.resource.accountId },
      contextVariables: one.request.context ?? {},
    },
    identityPolicies: named(one.identityPolicies, 'identity'),
    serviceControlPolicies: levels(one.serviceControlPolicies),
    resourceControlPolicies: levels(withoutAllows(one.resourceControlPolicies)),
    resourcePolicy: one.resourcePolicy ?? undefined,
    sessionPolicy: one.sessionPolicy ?? undefined,
    permissionBoundaryPolicies: some(one.permissionBoundaryPolicies, 'boundary'),
    vpcEndpointPolicies: some(one.vpcEndpointPolicies, 'endpoint'),
  }
}

async function decideAll() {
  for await (const line of createInterface({ input: process.stdin })) {
    const one = JSON.parse(line)
    const result = await runSimulation(simulation(one), {})
    console.log(JSON.stringify({ id: one.id, decision: result.overallResult ?? null, errors: result.errors }))
  }
}

async function time(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  const prepared = lines.map((line) => JSON.parse(line)).flatMap((one) => QUESTIONS.map((action) => simulation(one, action)))
  let answers = []
  for await (const _ of createInterface({ input: process.stdin })) {
    let start = process.hrtime.bigint()
    for (const each of prepared) await runSimulation(each, {})
    const repeated = Number(process.hrtime.bigint() - start) / 1e9
    const out = []
    start = process.hrtime.bigint()
    for (const line of lines) {
      const one = JSON.parse(line)
      out.push(JSON.stringify({ id: one.id, decision: (await runSimulation(simulation(one), {})).overallResult }))
    }
    const first = Number(process.hrtime.bigint() - start) / 1e9
    answers = out.map((each) => JSON.parse(each).decision ?? null)
    console.log(JSON.stringify({ repeated, first }))
  }
  console.log(JSON.stringify({ answers }))
}

const [mode, file] = process.argv.slice(2)
if (mode === 'time') await time(file)
else await decideAll()
