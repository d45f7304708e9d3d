// Starts `watchbell serve` on the sample logs and on hostile ones and works with its pages in a real Chromium: what a log
// wrote runs nothing and loads nothing, what a person clicks happens, and what happens is seen.
//
//   .ci/page/run
//
// WATCHBELL names the program, CHROMIUM the browser, NODE_MODULES the folder of playwright-core and axe-core,
// WATCHBELL_SHOTS the folder of the screenshots.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const modules = resolve(process.env.NODE_MODULES ?? join(here, "node_modules"));
const require = createRequire(pathToFileURL(join(modules, "..", "page.cjs")));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const program = resolve(process.env.WATCHBELL ?? join(here, "../../target/debug/watchbell"));
const place = mkdtempSync(join(tmpdir(), "watchbell-page-"));
const shots = resolve(process.env.WATCHBELL_SHOTS ?? join(place, "shots"));
mkdirSync(shots, { recursive: true });

// What must never act: each is put where logs have names, paths and agents.
const hostile = [
  "<script>window.hit=1</script>",
  "<img src=x onerror=window.hit=1>",
  "\"><svg onload=window.hit=1>",
  "javascript:window.hit=1",
  "{{ 1234 * 1001 }}{% include 'x' %}",
  "invoice\u202egpj.exe",
  "\u001b[2J\u001b]8;;https://evil.example\u0007click",
  "nul\u0000bell",
  "--><!--' onmouseover='window.hit=1' x='",
  "x".repeat(3000),
  "https://evil.example/?q=",
  "../../login?next=//evil.example",
];

/** A quiet week of two people, and in it one burst of failures for each hostile name. */
function hostileLog() {
  const lines = [];
  const begin = Date.UTC(2026, 2, 2);
  const add = (seconds, fields) =>
    lines.push([seconds, JSON.stringify({ timestamp: new Date(begin + seconds * 1000).toISOString(), ...fields })]);
  for (let minute = 0; minute < 7 * 24 * 60; minute += 7) {
    add(minute * 60, { user: minute % 2 ? "ada" : "grace", source_ip: "192.0.2.10", action: "login", status: "success", host: "web-1" });
  }
  hostile.forEach((name, at) => {
    for (let time = 0; time < 60; time += 1) {
      add(3 * 86400 + at * 7200 + time * 3, { user: name, source_ip: "203.0.113." + (at + 1), action: "login", status: "failure",
        host: "web-1", resource: "/" + name, user_agent: name, message: "failed " + name });
    }
  });
  return lines.sort((one, other) => one[0] - other[0]).map(([, line]) => line + "\n").join("");
}

const logs = join(place, "logs");
cpSync(join(here, "../../examples/logs"), logs, { recursive: true });
writeFileSync(join(logs, "hostile.jsonl"), hostileLog());

const received = [];
const sink = createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", () => { received.push(body); response.writeHead(204).end(); });
});
await new Promise((done) => sink.listen(0, "127.0.0.1", done));
writeFileSync(join(place, "watchbell.toml"), `
[serve]
rate_per_minute = 100000

[sinks.soc]
type = "webhook"
url = "http://127.0.0.1:${sink.address().port}/hook"
allow_private = true

[sinks.away]
type = "webhook"
url = "http://127.0.0.1:9/hook"
allow_private = true
`);
execFileSync(program, ["batch", "--log-dir", "logs", "--output-dir", "out", "--once"], { cwd: place, stdio: "ignore" });

/** Starts the server; gives its address once it listens. */
async function serve(more) {
  const server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--log-dir", "logs", "--output-dir", "out", ...more], { cwd: place });
  const told = { out: "", err: "" };
  server.stderr.on("data", (part) => { told.err += part; });
  const base = await new Promise((done, fail) => {
    server.stdout.on("data", (part) => {
      told.out += part;
      const at = /listening on (http:\S+)/.exec(told.out);
      if (at) done(at[1]);
    });
    server.on("exit", (code) => fail(new Error(`serve ended with ${code}: ${told.err}`)));
  });
  server.removeAllListeners("exit");
  return { server, base };
}

let { server, base } = await serve([]);

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: quiet });
let checks = 0;

/** A context that keeps what its pages do wrong. */
async function visit(options) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const wrongs = [];
  page.on("dialog", (dialog) => { wrongs.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("console", (message) => wrongs.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("popup", (popup) => wrongs.push(`popup: ${popup.url()}`));
  page.on("request", (request) => { if (!request.url().startsWith(base + "/")) wrongs.push(`request: ${request.url()}`); });
  return { context, page, wrongs };
}

async function check(name, options, work, expected = []) {
  const { context, page, wrongs } = await visit(options);
  try {
    await work(page, context);
    // What a browser says about an answer that the check itself asked for is not wrong.
    assert.deepEqual(wrongs.filter((wrong) => !expected.some((status) => wrong.includes(`status of ${status}`))), []);
    assert.equal(await page.evaluate(() => window.hit), undefined, "a log ran a script");
  } catch (error) {
    await page.screenshot({ path: join(shots, "failed.png"), fullPage: true }).catch(() => {});
    error.message = `${name}: ${error.message}`;
    throw error;
  } finally {
    await context.close();
  }
  checks += 1;
  console.log(`ok ${name}`);
}

const api = async (path, options) => (await fetch(base + path, options)).json();
const shown = (page) => page.locator("#list tbody tr").count();
const live = (page) => page.waitForFunction(() => document.querySelector("#stream.good"));

try {
  const findings = (await api("/v1/findings?limit=100")).findings;
  const strange = findings.filter((finding) => hostile.some((name) => finding.entity.value === name.slice(0, finding.entity.value.length)));
  assert(strange.length >= 6, `only ${strange.length} findings are about hostile names`);

  await check("headers and assets", {}, async (page) => {
    const answer = await page.goto(base + "/");
    const policy = answer.headers()["content-security-policy"];
    for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"]) {
      assert(policy.includes(part), policy);
    }
    assert(!policy.includes("unsafe"), policy);
    assert.equal(answer.headers()["cache-control"], "no-store");
    assert.equal(answer.headers()["x-content-type-options"], "nosniff");
    for (const asset of await page.$$eval("link[href^='/assets/'], script[src^='/assets/']", (all) => all.map((one) => one.href || one.src))) {
      const got = await fetch(asset);
      assert.equal(got.status, 200, asset);
      assert.match(got.headers.get("cache-control"), /immutable/);
    }
    assert.equal(await page.locator("[style], script:not([src])").count(), 0);
  });

  for (const colorScheme of ["light", "dark"]) for (const width of [1280, 390]) {
    await check(`looks, ${colorScheme}, ${width} px`, { colorScheme, viewport: { width, height: 900 } }, async (page) => {
      const views = [["overview", "/"], ["finding", "/findings/" + findings[0].id], ["hostile", "/?entity=" + encodeURIComponent(hostile[0])],
        ...strange.map((finding, at) => [`strange-${at}`, "/findings/" + finding.id])];
      for (const [name, path] of views) {
        await page.goto(base + path);
        await live(page);
        const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert(inside <= outside, `${path} is ${inside} px wide`);
        await page.evaluate(() => {
          for (const element of document.querySelectorAll("body *")) {
            for (const type of ["mouseover", "error", "load", "focus"]) element.dispatchEvent(new Event(type));
          }
        });
        await page.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact))
          .map((one) => `${one.id}: ${one.nodes.slice(0, 2).map((node) => node.html.slice(0, 160)).join(" | ")}`);
        assert.deepEqual(serious, [], path);
      }
    });
  }

  await check("an address is reflected as text", {}, async (page) => {
    for (const name of hostile.slice(0, 9)) {
      await page.goto(base + "/?entity=" + encodeURIComponent(name) + "&threat=" + encodeURIComponent(name) + "&since=" + encodeURIComponent(name));
      await page.waitForTimeout(30);
    }
    assert(!(await page.content()).includes("1235234"));
    const raw = await fetch(base + "/findings/" + encodeURIComponent(hostile[1]));
    assert.equal(raw.status, 404);
    assert(!(await raw.text()).includes("<img"));
  });

  await check("filters and pages", {}, async (page) => {
    await page.goto(base + "/");
    const all = findings.length;
    assert.equal(await shown(page), Math.min(25, all));
    await page.selectOption("[name=severity]", "critical");
    const critical = findings.filter((finding) => finding.severity === "critical").length;
    await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, critical);
    assert(page.url().includes("severity=critical"));
    await page.goBack();
    await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, Math.min(25, all));
    assert.equal(await page.inputValue("[name=severity]"), "");
    await page.fill("[name=entity]", findings[0].entity.value);
    await page.press("[name=entity]", "Enter");
    const about = findings.filter((finding) => finding.entity.value === findings[0].entity.value).length;
    await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, about);
    await page.click("#clear");
    await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, Math.min(25, all));
    if (all > 25) {
      const first = await page.locator("#list tbody a").first().textContent();
      await page.click("text=Next page");
      await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, Math.min(25, all - 25));
      assert.notEqual(await page.locator("#list tbody a").first().textContent(), first);
      await page.click("text=First page");
      await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, 25);
    }
    await page.goto(base + "/?after=gone");
    assert(await page.locator("text=the list has changed since").isVisible());
  });

  await check("a filter's answer counts whatever else is fetched, and a failed one does not lie", {}, async (page, context) => {
    await page.goto(base + "/");
    await live(page);
    const critical = findings.filter((finding) => finding.severity === "critical").length;
    const all = Math.min(25, findings.length);
    assert.notEqual(critical, all);
    // The filter's answer comes late, and another part is fetched meanwhile.
    await context.route(/severity=critical/, async (route) => {
      await new Promise((done) => setTimeout(done, 1500));
      await route.continue();
    });
    await page.selectOption("[name=severity]", "critical");
    await fetch(base + "/v1/batches", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" });
    await page.waitForSelector("#jobs li", { timeout: 20000 });
    await page.waitForFunction((count) => document.querySelectorAll("#list tbody tr").length === count, critical);
    await context.unroute(/severity=critical/);
    // One that is refused is asked for as a page.
    await context.route(/severity=high.*fragment/, (route) => route.fulfill({ status: 503, body: "" }));
    await page.evaluate(() => { window.before = true; });
    await Promise.all([page.waitForEvent("load"), page.selectOption("[name=severity]", "high")]);
    assert.equal(await page.evaluate(() => window.before), undefined);
    assert.equal(await page.inputValue("[name=severity]"), "high");
    await context.unroute(/severity=high.*fragment/);
  }, ["503"]);

  await check("the tab says what is new", {}, async (page) => {
    await page.goto(base + "/");
    await live(page);
    const verdict = await page.textContent("#verdict");
    assert.equal(await page.title(), verdict + " - Watchbell");
    await page.evaluate(() => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => window.away !== false });
    });
    const records = hostileLog().trim().split("\n").map((line) => JSON.parse(line))
      .map((record) => ({ ...record, user: record.user === hostile[0] ? "stranger" : record.user }));
    await fetch(base + "/analyze", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ logs: records }) });
    await page.waitForFunction(() => /^\(\d+ new\) /.test(document.title), null, { timeout: 20000 });
    await page.evaluate(() => { window.away = false; document.dispatchEvent(new Event("visibilitychange")); });
    await page.waitForFunction(() => document.title === document.querySelector("#verdict").textContent + " - Watchbell");
    await page.waitForFunction((text) => document.querySelector("#verdict").textContent !== text, verdict);
    await page.waitForFunction(() => document.title === document.querySelector("#verdict").textContent + " - Watchbell");
  });

  await check("a mistyped address", {}, async (page) => {
    const answer = await page.goto(base + "/finding/1");
    assert.equal(answer.status(), 404);
    await page.click("text=All findings");
    await page.waitForSelector("#verdict");
    const raw = await fetch(base + "/finding/1");
    assert.match(raw.headers.get("content-type"), /problem\+json/);
  }, ["404"]);

  await check("time is chosen with one click", {}, async (page) => {
    await page.goto(base + "/");
    await live(page);
    const before = await page.textContent("#chart .axis");
    await page.click(".ranges >> text=24 h");
    await page.waitForFunction((text) => document.querySelector("#chart .axis").textContent !== text, before);
    assert.equal(await page.getAttribute(".ranges >> text=24 h", "aria-current"), "true");
    await page.click(".ranges >> text=all");
    await page.waitForFunction((text) => document.querySelector("#chart .axis").textContent === text, before);
  });

  await check("with the keyboard alone", {}, async (page) => {
    await page.goto(base + "/");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    const seen = new Set();
    for (let step = 0; step < 120; step += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        return { key: element.id || element.getAttribute("name") || element.getAttribute("href") || element.tagName, visible: style.outlineStyle !== "none" };
      });
      assert(at.visible, `no focus is seen on ${at.key}`);
      seen.add(at.key);
      if (at.key.startsWith("row-")) break;
    }
    for (const name of ["severity", "threat", "entity"]) assert(seen.has(name), name);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/findings\//);
    await page.locator("[data-open=suppress]").focus();
    await page.keyboard.press("Enter");
    assert(await page.locator("#suppress").isVisible());
    assert.equal(await page.evaluate(() => document.querySelector("#suppress").contains(document.activeElement)), true);
    await page.keyboard.press("Escape");
    assert(!(await page.locator("#suppress").isVisible()));
    assert.equal(await page.evaluate(() => document.activeElement.dataset.open), "suppress");
  });

  await check("suppress and lift", {}, async (page, context) => {
    const finding = strange[0] ?? findings[0];
    const list = await context.newPage();
    await list.goto(base + "/");
    await live(list);
    const before = await list.textContent("#count");
    await page.goto(base + "/findings/" + finding.id);
    await page.click("[data-open=suppress]");
    await page.fill("#suppress [name=reason]", hostile[1]);
    await page.selectOption("#suppress [name=expires]", "7d");
    await page.click("#suppress [type=submit]");
    await page.waitForSelector("#suppress .preview li");
    assert.match(await page.textContent("#suppress .preview"), /would hide/);
    assert.equal((await api("/v1/suppressions")).suppressions.length, 0, "a dry run changes nothing");
    await page.screenshot({ path: join(shots, "suppress.png") });
    await page.click("#suppress [type=submit]");
    await page.waitForSelector("#state >> text=suppressed");
    assert.equal((await api("/v1/suppressions")).suppressions.length, 1);
    // The other page hears of it.
    await list.waitForFunction((text) => document.querySelector("#count").textContent !== text, before);
    assert.match(await list.textContent("#count"), /suppressed/);
    await list.click("#count a");
    await list.waitForSelector("#list .quiet");
    await list.screenshot({ path: join(shots, "suppressed.png"), fullPage: true });
    await list.click("[data-lift]");
    await list.fill("#lift [name=reason]", "no longer needed");
    await list.click("#lift [type=submit]");
    await list.waitForSelector("#decisions .empty");
    await page.waitForSelector("#state >> text=Nobody has decided");
    assert.equal((await api("/v1/suppressions")).suppressions.length, 0);
  });

  await check("feedback", {}, async (page) => {
    await page.goto(base + "/findings/" + findings[1].id);
    await page.click("[data-open=wrong]");
    await page.fill("#wrong [name=note]", hostile[0]);
    await page.click("#wrong [type=submit]");
    await page.waitForSelector("#state >> text=false positive");
    assert(await page.locator("#state >> text=window.hit=1").isVisible());
    await page.click("[data-open=right]");
    await page.click("#right [type=submit]");
    await page.waitForSelector("#state >> text=true positive");
  });

  await check("forward", {}, async (page) => {
    await page.goto(base + "/findings/" + findings[2].id);
    await live(page);
    await page.click("[data-open=forward]");
    await page.uncheck("#forward [value=away]");
    await page.click("#forward [type=submit]");
    await page.waitForSelector("#state >> text=delivered", { timeout: 20000 });
    assert(received.some((body) => body.includes(findings[2].id)));
    await page.click("[data-open=forward]");
    await page.uncheck("#forward [value=soc]");
    await page.click("#forward [type=submit]");
    await page.waitForFunction(() => !document.querySelector("#forward").open);
    await page.goto(base + "/");
    await page.waitForSelector("#delivery >> text=soc");
    // Nobody listens at the other: that is told, with the error's words, and not hidden behind what waits.
    await page.waitForSelector("#delivery tbody:has-text('away') >> text=not reachable", { timeout: 20000 });
    assert.notEqual((await page.textContent("#delivery tbody:has-text('away') .said")).trim(), "");
    assert.match(await page.textContent("#top .value.is.bad"), /1.failing/);
    await page.screenshot({ path: join(shots, "delivery.png"), fullPage: true });
  });

  await check("copies", { permissions: ["clipboard-read", "clipboard-write"] }, async (page) => {
    await page.goto(base + "/findings/" + strange[0].id);
    await page.click("[data-copy=json]");
    const text = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(JSON.parse(text).id, strange[0].id);
    assert(!/[\u0000-\u0009\u000b-\u001f\u202a-\u202e]/.test(text), "the clipboard holds control characters");
    await page.goto(base + "/findings/" + findings[0].id);
    await page.locator(".copy [data-copy]").first().click();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^search index=/);
  });

  await check("news come by themselves and disturb nobody", {}, async (page) => {
    await page.goto(base + "/?order=newest");
    await live(page);
    const before = await page.textContent("#verdict");
    await page.fill("[name=entity]", "half a na");
    await page.evaluate(() => scrollTo(0, 300));
    const records = hostileLog().trim().split("\n").map((line) => JSON.parse(line.replaceAll("203.0.113.", "198.51.100.")))
      .map((record) => ({ ...record, user: record.user === hostile[0] ? "newcomer" : record.user }));
    const answer = await fetch(base + "/analyze", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ logs: records }) });
    assert.equal(answer.status, 200);
    await page.waitForFunction((text) => document.querySelector("#verdict").textContent !== text, before, { timeout: 20000 });
    assert.equal(await page.evaluate(() => document.activeElement.name), "entity");
    assert.equal(await page.inputValue("[name=entity]"), "half a na");
    assert.equal(await page.evaluate(() => Math.round(scrollY)), 300);
  });

  await check("without JavaScript", { javaScriptEnabled: false }, async (page) => {
    await page.goto(base + "/?severity=high&order=newest");
    assert.equal(await page.inputValue("[name=severity]"), "high");
    assert((await shown(page)) > 0);
    assert.equal(await page.locator("[data-lift]:visible, [data-open]:visible").count(), 0);
    await page.selectOption("[name=severity]", "critical");
    await page.click(".go button");
    assert(page.url().includes("severity=critical"));
    await page.locator("#list tbody th a").first().click();
    assert(await page.locator("#why-title").isVisible());
    assert.equal(await page.locator("button:visible").count(), 0);
    await page.screenshot({ path: join(shots, "no-script.png"), fullPage: true });
  });

  // A page that listens does not hold the end up, and takes the server's absence calmly.
  {
    const { context, page } = await visit();
    await page.goto(base + "/");
    await live(page);
    const began = Date.now();
    const ended = new Promise((done) => server.on("exit", done));
    server.kill("SIGTERM");
    assert.equal(await ended, 0);
    assert(Date.now() - began < 8000, `ending took ${Date.now() - began} ms`);
    await page.waitForSelector("#stream.none");
    assert(await page.locator("#list tbody tr").first().isVisible());
    await context.close();
    checks += 1;
    console.log("ok ends with a listener");
  }

  // With authentication on, a key that may only read: a way in, no buttons, a way out.
  const key = JSON.parse(execFileSync(program, ["keys", "create", "--name", "reader", "--scope", "findings:read", "--json"], { cwd: place })).key;
  ({ server, base } = await serve([]));
  await check("signing in and out", {}, async (page) => {
    await page.goto(base + "/?next=//evil.example");
    assert.equal(page.url(), base + "/login");
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => axe.run(document));
    assert.deepEqual(violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => one.id), []);
    await page.screenshot({ path: join(shots, "login.png") });
    await page.fill("[name=key]", key);
    await page.keyboard.press("Enter");
    await page.waitForSelector("#verdict");
    assert.equal(page.url(), base + "/");
    await live(page);
    assert.equal(await page.locator("#delivery h2").count(), 0, "sinks are not for this key");
    assert.equal(await page.locator("#jobs h2, nav a[href='#jobs']").count(), 0, "jobs are not for this key");
    await page.locator("#list tbody th a").first().click();
    await page.waitForSelector("#why-title");
    assert.equal(await page.locator("[data-open]").count(), 0);
    await page.screenshot({ path: join(shots, "reader.png"), fullPage: true });
    await page.click("text=Sign out");
    await page.waitForURL(base + "/login");
    await page.goto(base + "/");
    assert.equal(page.url(), base + "/login");
  });
} finally {
  await browser.close();
  server.kill("SIGKILL");
  sink.closeAllConnections();
  sink.close();
  rmSync(place, { recursive: true, force: true });
}
console.log(`${checks} checks passed in Chromium; screenshots, if they are kept, in ${shots}`);
