# syntax=docker/dockerfile:1
# The command line alone, from a wheel in dist/ and with the versions that are tested:
#   python -m pip wheel --no-deps --wheel-dir dist . && docker build --tag pull-responder .
#   kubectl get pod POD -o json | docker run -i --rm -v ~/.aws:/home/responder/.aws:ro -e AWS_PROFILE pull-responder diagnose -
FROM python:3.13.9-slim-trixie

RUN --mount=type=bind,source=dist,target=/dist \
    --mount=type=bind,source=requirements.lock,target=/requirements.lock \
    python -m pip install --no-cache-dir --root-user-action=ignore --constraint /requirements.lock /dist/pull_responder-*.whl \
    && useradd --uid 65532 --create-home responder

USER 65532:65532
WORKDIR /home/responder
ENTRYPOINT ["pull-responder"]
