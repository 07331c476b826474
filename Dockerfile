# The image of `hub work`, for ECS or any other engine:
#
#   docker build --tag remediation-hub .
#   docker run --stop-timeout 30 --read-only --env HUB_QUEUE_URL=... --env HUB_JOURNAL=dynamodb:... remediation-hub
#
# An engine must wait longer for a stop than HUB_GRACE_SECONDS. The hub writes no file of its own: keep its
# journal in DynamoDB, or in a volume that HUB_JOURNAL=sqlite:FILE names.
# A tag can be given to another image; to hold on to one: --build-arg PYTHON=python:3.11-slim-bookworm@sha256:...
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /build
COPY requirements.lock pyproject.toml ./
COPY deploy/__init__.py deploy/locked.py deploy/
# Of the lock, what the hub needs to run. The environment gets no pip of its own.
RUN python -m venv --without-pip /opt/hub \
 && python -m deploy.locked runtime > runtime.lock \
 && python -m pip --python /opt/hub/bin/python install --no-cache-dir --no-deps --require-hashes \
    --only-binary :all: --requirement runtime.lock
COPY README.md LICENSE ./
COPY hub hub
COPY bots bots
COPY spoke_role spoke_role
COPY deploy deploy
# The hub itself, made by the locked build tool, which stays behind in this stage.
RUN python -m venv --without-pip tools \
 && python -m deploy.locked building > building.lock \
 && python -m pip --python tools/bin/python install --no-cache-dir --no-deps --require-hashes \
    --only-binary :all: --requirement building.lock \
 && python -m pip --python tools/bin/python wheel --no-cache-dir --no-deps --no-build-isolation \
    --wheel-dir wheels . \
 && python -m pip --python /opt/hub/bin/python install --no-cache-dir --no-deps --no-index wheels/*.whl

FROM ${PYTHON}
COPY --from=build /opt/hub /opt/hub
ENV PATH=/opt/hub/bin:$PATH
USER 10001:10001
STOPSIGNAL SIGTERM
# There is no port to ask. A worker that stands still shows in its queue's oldest message, which has an alarm.
HEALTHCHECK NONE
ENTRYPOINT ["hub"]
CMD ["work"]
