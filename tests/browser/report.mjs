// Opens the pages that `cargo test --lib report::html` writes to target/browser in a real Chromium and asserts that
// hostile logs run nothing, load nothing and break nothing, in both color schemes, on a desk and on a phone.
//
//   cargo test --lib report::html
//   npm ci --prefix tests/browser && node tests/browser/report.mjs
//
// PLAYWRIGHT_CORE names the folder of the package if it is not installed beside this file, CHROMIUM the browser,
// WATCHBELL_PAGES the folder of the pages.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const { chromium } = require(process.env.PLAYWRIGHT_CORE ? resolve(process.env.PLAYWRIGHT_CORE) : "playwright-core");
const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const pages = resolve(process.env.WATCHBELL_PAGES ?? join(here, "../../target/browser"));
const names = ["report.html", "hostile.html", "large.html"];

assert(existsSync(executablePath), `no browser at ${executablePath}, set CHROMIUM`);
for (const name of names) {
  assert(existsSync(join(pages, name)), `no ${name} in ${pages}, run: cargo test --lib report::html`);
}

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args: quiet });
let checks = 0;

/** Opens a page and keeps what it did wrong. */
async function open(name, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const wrongs = [];
  page.on("dialog", (dialog) => { wrongs.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("console", (message) => wrongs.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => wrongs.push(`error: ${error.message}`));
  page.on("popup", (popup) => wrongs.push(`popup: ${popup.url()}`));
  const address = pathToFileURL(join(pages, name)).href;
  page.on("request", (request) => {
    const url = request.url();
    if (url !== address && !url.startsWith("data:")) wrongs.push(`request: ${url}`);
  });
  await page.goto(address);
  return { context, page, wrongs };
}

/** Contrast of every visible text with what lies behind it, as WCAG 2 counts it; returns those below 4.5. */
function faintTexts() {
  const parse = (color) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const light = ([red, green, blue]) => [red, green, blue]
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest("script, style, svg")) continue;
    let back = light(behind(element));
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) opacity *= Number(getComputedStyle(at).opacity);
    const ground = behind(element);
    const color = parse(getComputedStyle(element).color).slice(0, 3);
    const front = light(color.map((part, at) => part * opacity + ground[at] * (1 - opacity)));
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (contrast < 4.5) faint.set(element.className + "/" + element.tagName, contrast.toFixed(2));
  }
  return [...faint];
}

for (const name of names) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1440, 360]) {
      const at = `${name}, ${colorScheme}, ${width} px`;
      const { context, page, wrongs } = await open(name, { colorScheme, viewport: { width, height: 900 } });
      await page.evaluate(() => { for (const fold of document.querySelectorAll("details")) fold.open = true; });
      const [inside, outside] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert(inside <= outside, `${at}: the page is ${inside} px wide`);
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const dark = back.match(/\d+/g).map(Number).reduce((sum, part) => sum + part, 0) < 3 * 128;
      assert.equal(dark, colorScheme === "dark", `${at}: background ${back}`);
      if (name !== "large.html") {
        assert.deepEqual(await page.evaluate(faintTexts), [], `${at}: text too faint`);
      }
      // A hand over everything: handlers that a log smuggled in would run now.
      if (name === "hostile.html") await page.evaluate(() => {
        for (const element of document.querySelectorAll("body *")) {
          for (const type of ["mouseover", "error", "load", "focus"]) element.dispatchEvent(new Event(type));
        }
      });
      await page.waitForTimeout(50);
      assert.deepEqual(wrongs, [], at);
      assert.equal(await page.locator("script").count(), 1, at);
      assert.equal(await page.locator("img, iframe, object, embed, base, link:not([rel=icon])").count(), 0, at);
      await context.close();
      checks += 1;
    }
  }
}

// Without JavaScript everything is there, and no control that would do nothing.
{
  const { context, page } = await open("report.html", { javaScriptEnabled: false });
  assert.equal(await page.locator("article").count(), 13);
  assert.equal(await page.locator("button:visible, input:visible").count(), 0);
  assert(await page.locator("#verdict").isVisible());
  await context.close();
  checks += 1;
}

// Filter and sort do what they say.
{
  const { context, page, wrongs } = await open("report.html", { viewport: { width: 1440, height: 900 } });
  const cards = page.locator("article:visible");
  await page.fill("#filter", "BEACONING 198.51");
  await page.waitForFunction(() => document.querySelector("#count").textContent !== "");
  assert.equal(await page.textContent("#count"), "1 of 13 shown");
  assert.equal(await cards.count(), 1);
  await page.fill("#filter", "");
  await page.waitForFunction(() => document.querySelector("#count").textContent === "");
  await page.uncheck("[name=severity][value=critical]");
  assert.equal(await cards.count(), 11);
  await page.check("[name=severity][value=critical]");

  const column = (at) => page.$$eval("#entities + .scroll tbody tr", (rows, at) => rows.map((row) => row.cells[at].textContent), at);
  await page.locator("#entities + .scroll th button", { hasText: "Entity" }).click();
  const names = (await column(2)).map((name) => name.toLowerCase());
  assert.deepEqual(names, names.toSorted().toReversed());
  await page.locator("#entities + .scroll th button", { hasText: "Events" }).click();
  await page.locator("#entities + .scroll th button", { hasText: "Events" }).click();
  const events = (await column(4)).map((text) => Number(text.replace(/\D/g, "")));
  assert.deepEqual(events, events.toSorted((one, other) => one - other));
  assert.equal(await page.locator("#entities + .scroll th[aria-sort=ascending]").count(), 1);

  await page.click("#folds");
  assert.equal(await page.locator("#cards details:not([open])").count(), 0);
  const layer = await page.getAttribute("a[download]", "href");
  const techniques = JSON.parse(Buffer.from(layer.split(",")[1], "base64")).techniques;
  assert(techniques.length > 5);
  assert.deepEqual(wrongs, []);
  await context.close();
  checks += 1;
}

// What is copied is what is shown, and JSON stays JSON.
{
  const { context, page, wrongs } = await open("hostile.html", { permissions: ["clipboard-read", "clipboard-write"] });
  await page.click("#folds");
  await page.locator(".folds > details:last-child [data-copy]").first().click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(JSON.parse(text).id, /./);
  assert(!/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/.test(text), "the clipboard holds control characters");
  assert.deepEqual(wrongs, []);
  await context.close();
  checks += 1;
}

// Ten thousand findings stay usable.
{
  const { context, page } = await open("large.html", { viewport: { width: 1440, height: 900 } });
  const started = Date.now();
  await page.locator("#rows th button", { hasText: "Score" }).click();
  await page.fill("#filter", "user-00777");
  await page.waitForFunction(() => document.querySelector("#count").textContent !== "", null, { timeout: 20000 });
  assert(Date.now() - started < 20000, "sorting and filtering took more than twenty seconds");
  await context.close();
  checks += 1;
}

await browser.close();
console.log(`${checks} checks passed in Chromium`);
