"""Drives `watchbell mcp` as an assistant's client does: every tool, resource and prompt, over each transport and each
generation of the protocol. Usage: drive.py PROGRAM HOSTILE_TEXTS"""

import contextlib
import datetime
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import anyio
import jsonschema
from mcp import StdioServerParameters, stdio_client
from mcp.client.client import Client

PROGRAM = sys.argv[1]
HOSTILE = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
MARK = "ZQX7"
LARGEST = 20_480
READING = {"analyze_logs", "analyze_file", "list_findings", "get_finding", "explain_finding", "summarize_findings", "list_models", "list_sinks"}
WRITING = {"load_model", "train_model", "test_sink", "forward_findings"}
ACTS = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e0fff]")


class Complaint(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Complaint(what)


def record(time, user, address, status):
    return {"timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ"), "user": user, "source_ip": address, "action": "login",
            "status": status, "host": "srv-1", "country": "SE", "resource": "/login"}


def guessing(victim, attacker, end, **more):
    """A day of ordinary logins that ends with many failures of one account from one address."""
    lines = []
    for turn in range(200):
        time = end - datetime.timedelta(minutes=5 * (200 - turn) + 30)
        lines.append(record(time, f"user{turn % 10}", f"10.0.0.{turn % 10}", "success"))
    for turn in range(80):
        lines.append(record(end - datetime.timedelta(seconds=3 * (80 - turn)), victim, attacker, "failure") | more)
    return "".join(json.dumps(line) + "\n" for line in lines)


def place(folder):
    """A folder with a configuration and logs of today in which somebody guesses passwords."""
    logs = folder / "logs"
    logs.mkdir()
    (folder / "watchbell.toml").write_text(
        '[batch]\noutput_dir = "reports"\nmodel_dir = "models"\n'
        f'[sinks.chat]\ntype = "slack"\nwebhook_url = "https://127.0.0.1:9/services/SECRETWORD"\n')
    now = datetime.datetime.now(datetime.timezone.utc)
    (logs / "auth.json").write_text(guessing("alice", "192.0.2.77", now))
    (folder / "secret.json").write_text(guessing("secret", "192.0.2.1", now))
    (logs / "link.json").symlink_to("../secret.json")
    (logs / "hostile").mkdir()
    for number, text in enumerate(HOSTILE):
        more = {name: text for name in ("host", "country", "resource", "user_agent", "process")}
        broken = text.replace("\n", " ") + "\n"
        (logs / "hostile" / f"{number}.json").write_text(guessing(text, text, now, **more) + broken)
    # Long enough to be cancelled in the middle.
    large = guessing("bob", "192.0.2.5", now)
    with open(logs / "large.json", "w") as file:
        for _ in range(2500):
            file.write(large)
    return folder


def walk(value, inside, at):
    """No text of a log outside of the envelope, no character that acts anywhere."""
    if isinstance(value, str):
        hold(inside or MARK not in value, f"outside of the envelope at {at}: {value!r}")
        hold(not ACTS.search(value), f"a character that acts at {at}: {value!r}")
    elif isinstance(value, list):
        for item in value:
            walk(item, inside, at + "[]")
    elif isinstance(value, dict):
        for name, item in value.items():
            hold(MARK not in name, f"a name from a log at {at}: {name!r}")
            walk(item, inside or name == "untrusted", f"{at}.{name}")


class Assistant:
    """A client that checks every answer."""

    def __init__(self, client, tools):
        self.client, self.tools, self.used, self.seen = client, tools, set(), ""

    async def call(self, tool, **arguments):
        self.used.add(tool)
        answer = await self.client.call_tool(tool, arguments)
        self.seen += answer.model_dump_json()
        for block in answer.content:
            with contextlib.suppress(json.JSONDecodeError):
                walk(json.loads(block.text), False, tool)
                continue
            walk(block.text, False, tool)
        if answer.is_error:
            error = json.loads(answer.content[0].text)
            hold(len(error["fix"]) > 10, f"{tool}: no fix in {error}")
            return error
        content = answer.structured_content
        jsonschema.validate(content, self.tools[tool].output_schema, jsonschema.Draft202012Validator)
        hold(json.loads(answer.content[1].text) == content, f"{tool}: the text is another one")
        hold(len(json.dumps(content)) <= LARGEST, f"{tool}: an answer of {len(json.dumps(content))} bytes")
        return content

    async def refused(self, tool, **arguments):
        try:
            answer = await self.client.call_tool(tool, arguments)
        except Exception as error:
            hold("Invalid" in str(error) or getattr(getattr(error, "error", None), "code", None) == -32602, f"{tool}: {error!r}")
            return str(error)
        raise Complaint(f"{tool} took {arguments}: {answer}")


async def questions(ask):
    """What people ask, as the calls that an assistant makes of it."""
    # "Analyze the logs in my logs folder."
    found = await ask.call("analyze_logs", path=".")
    hold(found["findings_total"] >= 1 and found["by_threat"].get("brute_force", 0) >= 1, f"nothing found: {found}")
    hold(found["files_left_out"] >= 1, "a link that leads out was read")
    # "Load models and check auth.json for brute force."
    await ask.call("train_model", path="auth.json")
    models = await ask.call("list_models")
    loaded = await ask.call("load_model", name=models["models"][0]["untrusted"]["name"])
    hold(loaded["model"]["is_default"], "the model is not loaded")
    found = await ask.call("analyze_file", path="auth.json")
    forced = [one for one in found["findings"] if one["threat_type"] == "brute_force"]
    # The model has learned from the attack itself; what was found without it is still known.
    known = await ask.call("list_findings", threat_types=["brute_force"], entity="alice", since="today")
    hold(found["total_events"] == 280, f"events: {found['total_events']}")
    hold(forced or known["total"] >= 1, "the brute force is not known")
    hold(known["findings"][0]["untrusted"]["entity"]["value"] == "alice", f"about somebody else: {known}")
    # "What high-severity anomalies were detected today?"
    today = await ask.call("list_findings", min_severity="high", since="today")
    hold(today["total"] >= 1, f"none today: {today}")
    hold(all(one["severity"] in ("high", "critical") for one in today["findings"]), "a lower one among them")
    summary = await ask.call("summarize_findings", since="today", min_severity="high")
    hold(summary["total"] == today["total"], "the summary counts otherwise")
    tomorrow = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%Y-%m-%d")
    hold((await ask.call("list_findings", since=tomorrow))["total"] == 0, "a finding of tomorrow")
    return known["findings"][0]["id"]


async def everything(client, server_log):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    hold(set(tools) == READING | WRITING, f"tools: {sorted(tools)}")
    for tool in tools.values():
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        hints = tool.annotations
        hold(None not in (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint), tool.name)
    ask = Assistant(client, tools)
    before = json.dumps([tool.model_dump(mode="json") for tool in tools.values()])
    hold("untrusted" in client.instructions, "the instructions do not name the envelope")

    await progress_and_cancel(client, server_log)
    (server_log.parent / "logs" / "large.json").unlink()
    id = await questions(ask)

    await ask.call("explain_finding", id=id)
    got = await ask.call("get_finding", id=id)
    hold(got["finding"]["id"] == id and got["evidence"], f"got: {got}")
    await ask.refused("judge_finding", action="feedback", finding_id=id, truth="true_positive")
    await ask.call("list_sinks")
    tested = await ask.call("test_sink", sink="chat")
    hold("SECRETWORD" not in json.dumps(tested), "a secret in a test")
    planned = await ask.call("forward_findings", ids=[id])
    hold(planned["dry_run"] and planned["planned"][0]["sinks"] == ["chat"], f"not planned: {planned}")
    await ask.call("analyze_logs", logs=[json.loads(line) for line in guessing("eve", "192.0.2.8", datetime.datetime.now()).splitlines()])
    for path in ("../secret.json", "link.json", "/etc/passwd", "nowhere", "hostile/../../secret.json"):
        error = await ask.call("analyze_file", path=path)
        hold(error.get("error") == "refused", f"{path}: {error}")
    await ask.refused("analyze_logs", path=".", logs=["a"])
    await ask.refused("list_findings", limit=1000)

    # The corpus: in every field, in names, in arguments.
    for text in HOSTILE:
        await ask.call("list_findings", entity=text)
    await ask.call("analyze_logs", logs=HOSTILE)
    cursor = None
    for _ in range(50):
        page = await ask.call("list_findings", limit=20, **({"cursor": cursor} if cursor else {}))
        for card in page["findings"][:5]:
            await ask.call("get_finding", id=card["id"])
            await ask.call("explain_finding", id=card["id"])
        if not (cursor := page["next_cursor"]):
            break
    hold(MARK in ask.seen, "the corpus never reached an answer")
    hold(ask.used == set(tools), f"never called: {set(tools) - ask.used}")
    after = json.dumps([tool.model_dump(mode="json") for tool in (await client.list_tools()).tools])
    hold(after == before, "the tools changed")

    resources = [str(one.uri) for one in (await client.list_resources()).resources]
    hold(len(resources) == 4, f"resources: {resources}")
    templates = (await client.list_resource_templates()).resource_templates
    hold([one.uri_template for one in templates] == ["watchbell://finding/{id}"], "templates")
    for uri in resources + [f"watchbell://finding/{id}"]:
        text = (await client.read_resource(uri)).contents[0].text
        hold("SECRETWORD" not in text, "a secret in the configuration")
        if not uri.endswith("redacted"):
            walk(json.loads(text), False, uri)
    for prompt in (await client.list_prompts()).prompts:
        arguments = {one.name: id for one in prompt.arguments if one.required}
        text = (await client.get_prompt(prompt.name, arguments)).messages[0].content.text
        hold("untrusted" in text, f"{prompt.name} does not name the envelope")


async def judging(client):
    """A finding that is known from the session before: suppressed, listed as such, lifted, and told to be right."""
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    hold(set(tools) == (READING | WRITING | {"judge_finding"}) - {"get_finding"}, f"tools with --judge: {sorted(tools)}")
    ask = Assistant(client, tools)
    id = (await ask.call("list_findings", threat_types=["brute_force"], entity="alice"))["findings"][0]["id"]
    wish = {"action": "suppress", "finding_id": id, "reason": HOSTILE[0], "expires": "1h"}
    planned = await ask.call("judge_finding", **wish)
    hold(not planned["made"] and id in planned["silences"], f"not a dry run: {planned}")
    await ask.call("judge_finding", **wish, dry_run=False)
    hidden = await ask.call("list_findings", suppressed="only")
    hold(any(one["id"] == id for one in hidden["findings"]), f"not suppressed: {hidden}")
    await ask.call("judge_finding", action="lift", finding_id=id, reason="over")
    await ask.call("judge_finding", action="feedback", finding_id=id, truth="true_positive", reason=HOSTILE[0])
    told = await ask.call("summarize_findings", threat_types=["brute_force"])
    hold(told["feedback"][0]["true_positives"] == 1 and not told["suppressions"], f"not written down: {told}")


async def progress_and_cancel(client, server_log):
    notes = []

    async def note(progress, total, message):
        notes.append((progress, total, message))

    await client.call_tool("analyze_file", {"path": "auth.json"}, progress_callback=note)
    hold(len(notes) >= 2, f"notes of progress: {notes}")
    hold(all(one[0] < other[0] for one, other in zip(notes, notes[1:])), f"progress goes back: {notes}")
    # When it is known to be under way: how long it takes is the machine's matter.
    scope = anyio.CancelScope()

    async def enough(progress, total, message):
        scope.cancel()

    with scope:
        await client.call_tool("analyze_file", {"path": "large.json"}, progress_callback=enough)
    hold(scope.cancelled_caught, "the large file is not large enough")
    began = time.monotonic()
    while "outcome=\"stopped\"" not in server_log.read_text():
        hold(time.monotonic() - began < 10, "cancelled work goes on")
        await anyio.sleep(0.05)


async def read_only(client):
    names = {tool.name for tool in (await client.list_tools()).tools}
    hold(names == READING, f"tools with --read-only: {sorted(names)}")
    ask = Assistant(client, {})
    for tool in sorted(WRITING | {"judge_finding"}):
        await ask.refused(tool)


@contextlib.asynccontextmanager
async def by_pipe(folder, mode, *arguments):
    log = folder / f"stdio-{mode}.log"
    with open(log, "w") as errors:
        server = StdioServerParameters(command=PROGRAM, args=["-v", "mcp", *arguments], cwd=folder)
        async with Client(stdio_client(server, errlog=errors), mode=mode) as client:
            yield client, log


@contextlib.asynccontextmanager
async def by_http(folder, mode, *arguments):
    log = folder / f"http-{mode}.log"
    with open(log, "w") as errors:
        process = subprocess.Popen([PROGRAM, "-v", "mcp", "--http", "127.0.0.1:0", *arguments], cwd=folder,
                                   stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        url = process.stdout.readline().strip().removeprefix("listening on ")
        async with Client(url, mode=mode) as client:
            yield client, log
        process.send_signal(signal.SIGTERM)
        hold(process.wait(timeout=20) == 0, f"ended with {process.returncode}")
        hold(process.stdout.read() == "", "standard output carries something else")
    finally:
        if process.poll() is None:
            process.kill()


async def main():
    began = time.monotonic()
    for transport in (by_pipe, by_http):
        for mode in ("legacy", "auto"):
            # The second generation sees a fresh folder too: what was found before must not help.
            with tempfile.TemporaryDirectory() as folder:
                folder = place(pathlib.Path(folder))
                async with transport(folder, mode) as (client, log):
                    await everything(client, log)
                async with transport(folder, mode, "--judge") as (client, _):
                    await judging(client)
                if mode == "legacy":
                    async with transport(folder, mode, "--read-only") as (client, _):
                        await read_only(client)
            print(f"{transport.__name__} {mode}: ok, {time.monotonic() - began:.1f} s", flush=True)


def root_of(error):
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


try:
    anyio.run(main)
except BaseException as error:
    error = root_of(error)
    if isinstance(error, Complaint):
        sys.exit(f"failed: {error}"[:3000])
    raise
