"""The laptop conversation understood through a real Llama Stack 0.2.12, with the scripted model behind it.

Llama Stack is installed with uv into a virtual environment of its own, in a temporary folder, or found in the one that
MODEL_SERVER_VENV names. It listens on this machine only.
"""

import asyncio
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import httpx2
import uvicorn

from benchmarks.house import running_house
from self_service_agent.doubles.openai.app import create_app
from self_service_agent.doubles.openai.script import Fault, Script, shipped_script
from self_service_agent.shared_clients.request_manager import RequestManagerClient

PACKAGES = (
    "llama-stack==0.2.12", "opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "aiosqlite",
    "sqlalchemy[asyncio]", "mcp<2", "uvicorn", "fastapi",
)  # fmt: skip
BASE_PATH = "/v1/openai/v1"
SAID = ("Hi, I need a new laptop", "2", "How long does that take?", "I wonder whether that is right", "yes")
CONFIGURATION = """\
version: '2'
image_name: local
apis: [inference]
providers:
  inference:
  - provider_id: vllm
    provider_type: remote::vllm
    config: {{url: "{peer}/v1", max_tokens: 500, api_token: none, tls_verify: false}}
metadata_store: {{type: sqlite, db_path: {folder}/registry.db}}
inference_store: {{type: sqlite, db_path: {folder}/inference.db}}
models:
- {{model_id: scripted-1, provider_id: vllm, provider_model_id: scripted-1, model_type: llm, metadata: {{}}}}
shields: []
vector_dbs: []
datasets: []
scoring_fns: []
benchmarks: []
tool_groups: []
server: {{port: {port}, host: 127.0.0.1}}
"""


async def run(*, scale: float = 1.0) -> None:
    """Print what happened, from the installation to the ticket."""
    script = shipped_script()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="model-server-")))
        python = await _environment(folder)
        peer = await stack.enter_async_context(_peer(script))
        server = await stack.enter_async_context(_server(python, folder, peer))
        house = await stack.enter_async_context(
            running_house(LLAMA_STACK_URL=server, LLAMASTACK_OPENAI_BASE_PATH=BASE_PATH, LLM_MODEL=script.model)
        )
        url = f"http://127.0.0.1:{house.port}"
        print(f"  the probe saw: {await _capabilities(url)}")
        script.asked.clear()
        await _converse(url, "alice.johnson", script)
        script.always = Fault.SERVER_ERROR
        print("  and once more while the model behind it fails:")
        await _converse(url, "brian.cole", script)


async def _converse(url: str, who: str, script: Script) -> None:
    seconds = []
    async with RequestManagerClient(url, who, who) as client:
        for text in SAID:
            began = time.perf_counter()
            response = (await client.send_request(text)).response
            seconds.append(time.perf_counter() - began)
            envelope, first = response.metadata, response.content.splitlines()[0]
            said_by = f"{envelope['engine']}{' (' + envelope['degraded'] + ')' if 'degraded' in envelope else ''}"
            print(f"  {text!r}: {said_by}, {envelope['usage']}, {seconds[-1] * 1000:.0f} ms: {first[:70]}")
    print(f"  {len(script.asked)} calls of the model so far, median turn {statistics.median(seconds) * 1000:.0f} ms")


async def _capabilities(url: str) -> object:
    async with httpx2.AsyncClient(base_url=url) as http, asyncio.timeout(60):
        while True:
            model = (await http.get("/health/detailed")).json()["model"]
            if model["capabilities"]:
                return model["capabilities"]
            await asyncio.sleep(0.2)


async def _environment(folder: Path) -> Path:
    """Return the Python that has Llama Stack, installed now unless it is there already."""
    if prepared := os.environ.get("MODEL_SERVER_VENV"):
        return Path(prepared) / "bin" / "python"
    uv, began = str(Path(sys.executable).with_name("uv")), time.perf_counter()
    python = folder / "venv" / "bin" / "python"
    await _done(uv, "venv", "--quiet", "--python", "3.11", str(folder / "venv"))
    await _done(uv, "pip", "install", "--quiet", "--python", str(python), *PACKAGES)
    print(f"  installed in {time.perf_counter() - began:.0f} s")
    return python


@asynccontextmanager
async def _server(python: Path, folder: Path, peer: str) -> AsyncIterator[str]:
    """Yield the address of Llama Stack, which asks the model at `peer`."""
    port, began = _free_port(), time.perf_counter()
    (folder / "run.yaml").write_text(CONFIGURATION.format(peer=peer, folder=folder, port=port))
    arguments = ("-m", "llama_stack.distribution.server.server", "--config", "run.yaml", "--port", str(port))
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            python, *arguments, cwd=folder, stdout=log, stderr=log, env={**os.environ, "HF_HUB_OFFLINE": "1"}
        )
    try:
        url = f"http://127.0.0.1:{port}"
        await _answering(url, process, folder / "server.log")
        print(f"  Llama Stack answers after {time.perf_counter() - began:.1f} s")
        yield url
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process, log: Path) -> None:
    async with httpx2.AsyncClient(base_url=url) as http, asyncio.timeout(120):
        while process.returncode is None:
            with suppress(httpx2.TransportError):
                if (await http.get(f"{BASE_PATH}/models")).status_code == 200:
                    return
            await asyncio.sleep(0.2)
    said = await asyncio.to_thread(log.read_text)
    sys.exit(f"Llama Stack did not start:\n{said[-2000:]}")


@asynccontextmanager
async def _peer(script: Script) -> AsyncIterator[str]:
    """Yield the address of the scripted model, served in this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(script), log_level="critical"))
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await task


async def _done(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command)
    if await process.wait():
        sys.exit(f"{command[0]} failed")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
