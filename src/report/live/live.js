"use strict";
// The pages are whole without this script. It fetches parts of them again when something has changed, and sends what a
// person decides. It never writes markup of its own: parts come from the server, texts go in as text.
(function () {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const one = (selector, root) => (root || document).querySelector(selector);
  const page = document.body.dataset.page;

  // What is said to everybody, screen readers too.
  const told = one("#told");
  let quiet;
  function tell(text) {
    told.textContent = text;
    told.classList.toggle("shown", text !== "");
    clearTimeout(quiet);
    quiet = setTimeout(() => { told.textContent = ""; told.classList.remove("shown"); }, 6000);
  }

  // Requests. What went wrong is told in the server's words (RFC 9457).
  async function send(method, address, body) {
    const headers = { "Accept": "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(address, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), credentials: "same-origin", redirect: "error" });
    } catch {
      throw new Error("The server can't be reached.");
    }
    if (response.status === 401) location.assign("/login");
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) {
      const places = ((answer && answer.errors) || []).map((place) => place.detail);
      throw new Error(places.join("; ") || (answer && (answer.detail || answer.title)) || "The server answered " + response.status + ".");
    }
    return answer;
  }

  // Parts: fetched, compared, put in place. Focus and open folds stay where they are. Gives "" when it is done, else why not.
  const shown = new Map(all("[data-part]").map((part) => [part.dataset.part, part.outerHTML]));
  const arrived = new Map();
  const filtered = ["top", "chart", "list"];
  let asked = 0;
  async function refresh(names) {
    const wanted = names.filter((name) => one("[data-part=" + name + "]"));
    if (wanted.length === 0) return "";
    const number = (asked += 1);
    const place = location.search;
    const address = new URL(location.href);
    address.hash = "";
    address.searchParams.set("fragment", wanted.join(","));
    let response;
    let text;
    try {
      response = await fetch(address, { credentials: "same-origin", cache: "no-store", redirect: "error" });
      text = await response.text();
    } catch {
      return "away";
    }
    if (response.status === 401) location.assign("/login");
    if (!response.ok) return "refused";
    const parsed = new DOMParser().parseFromString(text, "text/html");
    for (const fresh of all("[data-part]", parsed)) {
      const name = fresh.dataset.part;
      // A later answer about the same part may have come before this one; one about other parts takes nothing from it.
      if ((arrived.get(name) || 0) > number) continue;
      // Other filters were chosen meanwhile, whose answer is on its way.
      if (location.search !== place && filtered.includes(name)) continue;
      arrived.set(name, number);
      put(fresh);
    }
    return "";
  }

  function put(fresh) {
    const name = fresh.dataset.part;
    const old = one("[data-part=" + name + "]");
    if (!old) return;
    old.removeAttribute("aria-busy");
    if (shown.get(name) === fresh.outerHTML) return;
    shown.set(name, fresh.outerHTML);
    const focus = document.activeElement;
    const key = old.contains(focus) ? focus.id || focus.getAttribute("href") : null;
    const node = document.importNode(fresh, true);
    wake(node);
    old.replaceWith(node);
    if (name === "top") {
      saying = one("#verdict", node).textContent + " - Watchbell";
      title();
    }
    if (key === null) return;
    const again = all("[id], [href]", node).find((element) => element.id === key || element.getAttribute("href") === key);
    const target = again || node;
    if (!again) node.tabIndex = -1;
    target.focus({ preventScroll: true });
  }

  // The tab says what the page says, and what came while nobody looked.
  let saying = document.title;
  let news = 0;
  function title() {
    document.title = (news > 0 ? "(" + news + " new) " : "") + saying;
  }

  // Controls that would do nothing without this script are hidden until it runs.
  function wake(root) {
    for (const control of all("[data-open], [data-copy], [data-lift], [data-batch]", root)) control.hidden = false;
  }
  wake(document);

  // Dialogs.
  for (const dialog of all("dialog")) {
    for (const button of all("[data-close]", dialog)) button.addEventListener("click", () => dialog.close());
  }
  function open(id) {
    const dialog = one("#" + id);
    one("form", dialog).reset();
    one(".wrong", dialog).textContent = "";
    dialog.dispatchEvent(new Event("opened"));
    dialog.showModal();
    return dialog;
  }
  function answers(id, act) {
    const dialog = one("#" + id);
    if (!dialog) return;
    one("form", dialog).addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = one("[type=submit]", dialog);
      if (button.disabled) return;
      button.disabled = true;
      one(".wrong", dialog).textContent = "";
      try {
        await act(dialog);
      } catch (error) {
        one(".wrong", dialog).textContent = error.message;
      } finally {
        button.disabled = false;
      }
    });
  }

  document.addEventListener("click", (event) => {
    const control = event.target.closest("[data-open], [data-copy], [data-lift], [data-batch], [data-go]");
    if (!control) return;
    if (control.dataset.open) open(control.dataset.open);
    else if (control.dataset.lift) lift(control);
    else if ("copy" in control.dataset) copy(control);
    else if ("batch" in control.dataset) batch(control);
    else if (!event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && one("#list")) {
      event.preventDefault();
      go(control.href.baseVal || control.href);
    }
  });

  // A first round over the log directory.
  async function batch(control) {
    control.disabled = true;
    try {
      await send("POST", "/v1/batches", {});
      tell("The batch has begun.");
      await refresh(["jobs"]);
    } catch (error) {
      tell(error.message);
      control.disabled = false;
    }
  }

  // Lifting a suppression, on both pages.
  let lifted = null;
  function lift(control) {
    lifted = control.dataset.lift;
    one(".about", open("lift")).textContent = control.dataset.scope;
  }
  answers("lift", async (dialog) => {
    const reason = one("[name=reason]", dialog).value;
    await send("DELETE", "/v1/suppressions/" + encodeURIComponent(lifted) + "?reason=" + encodeURIComponent(reason));
    dialog.close();
    tell("The suppression is lifted.");
    await refresh(["top", "chart", "list", "decisions", "state"]);
  });

  // Copying: the named text, or the one beside the button.
  async function copy(control) {
    const source = control.dataset.copy ? one("#" + control.dataset.copy) : one("pre", control.parentElement);
    if (!source) return tell("There is nothing to copy here; open it as JSON.");
    const label = control.dataset.label || (control.dataset.label = control.textContent);
    let done = false;
    try {
      await navigator.clipboard.writeText(source.textContent);
      done = true;
    } catch {
      const fold = source.closest("details");
      if (fold) fold.open = true;
      getSelection().selectAllChildren(source);
      done = document.execCommand("copy");
    }
    control.textContent = done ? "Copied" : "Press Ctrl+C";
    tell(done ? "Copied." : "The text is selected; press Ctrl+C.");
    setTimeout(() => { control.textContent = label; }, 1600);
  }

  // The list: filters and pages without loading everything again.
  const form = one("#filters");
  async function go(address, replace) {
    history[replace ? "replaceState" : "pushState"](null, "", address);
    fill();
    if (!(await looked())) return;
    const top = one("#findings");
    if (top.getBoundingClientRect().top < 0) top.scrollIntoView();
    const count = one("#count");
    if (count) tell(count.textContent);
  }
  // The list of the address, or why it is not. Never the old list as if it were the new one.
  async function looked() {
    const why = await refresh(filtered);
    if (why === "refused") location.reload();
    if (why === "away") {
      for (const name of filtered) waiting.add(name);
      for (const name of ["chart", "list"]) one("[data-part=" + name + "]").setAttribute("aria-busy", "true");
      tell("The server can't be reached: what is shown is of before.");
    }
    return why === "";
  }
  function fill() {
    if (!form) return;
    const values = new URL(location.href).searchParams;
    for (const field of all("[name]", form)) {
      if (field !== document.activeElement) field.value = values.get(field.name) || "";
      const fold = field.closest("details");
      if (fold && field.value !== "") fold.open = true;
    }
  }
  if (form) {
    const address = () => {
      const values = new URLSearchParams();
      for (const [name, value] of new FormData(form)) if (value !== "") values.append(name, value);
      const text = values.toString();
      return text === "" ? "/" : "/?" + text;
    };
    form.addEventListener("submit", (event) => { event.preventDefault(); go(address()); });
    form.addEventListener("change", () => go(address()));
    one("#clear").addEventListener("click", (event) => { event.preventDefault(); form.reset(); go("/"); for (const field of all("[name]", form)) field.value = ""; });
    addEventListener("popstate", () => { fill(); looked(); });
  }

  // One finding.
  if (page === "finding") {
    const id = document.body.dataset.id;
    const at = "/v1/findings/" + encodeURIComponent(id);
    answers("forward", async (dialog) => {
      const sinks = all("[name=sink]:checked", dialog).map((box) => box.value);
      if (sinks.length === 0) throw new Error("Choose a sink.");
      const receipt = await send("POST", "/v1/findings:forward", { ids: [id], sinks });
      dialog.close();
      tell(forwarded(receipt, sinks));
      await refresh(["state"]);
    });
    for (const name of ["right", "wrong"]) answers(name, async (dialog) => {
      const note = one("[name=note]", dialog).value.trim();
      const body = { truth: dialog.dataset.truth };
      if (note !== "") body.note = note;
      await send("POST", at + "/feedback", body);
      dialog.close();
      tell("Written down.");
      await refresh(["state"]);
    });
    suppressing(id);
  }

  function forwarded(receipt, sinks) {
    const plan = receipt.planned && receipt.planned[0];
    if (!plan) return "On its way to " + sinks.join(", ") + ".";
    if (plan.suppressed_by) return "It is suppressed and was held back; lift the suppression first.";
    if (plan.sinks.length > 0) return "On its way to " + plan.sinks.join(", ") + ".";
    if (plan.known.length > 0) return plan.known.join(", ") + (plan.known.length === 1 ? " has" : " have") + " it already.";
    return "These sinks take no findings like this one.";
  }

  // Suppressing takes two steps: what it would hide is shown before it is done, and again when anything was changed.
  function suppressing(id) {
    const dialog = one("#suppress");
    if (!dialog) return;
    const [form, preview, button] = [one("form", dialog), one(".preview", dialog), one("[type=submit]", dialog)];
    let seen = null;
    const back = () => { seen = null; preview.replaceChildren(); button.textContent = "Show what it would hide"; };
    const body = () => ({ from_finding: id, reason: form.reason.value.trim(), expires: form.expires.value });
    dialog.addEventListener("opened", back);
    form.addEventListener("input", back);
    answers("suppress", async () => {
      const request = body();
      if (seen !== JSON.stringify(request)) {
        const effect = await send("POST", "/v1/suppressions", { ...request, dry_run: true });
        seen = JSON.stringify(request);
        show(preview, effect);
        button.textContent = "Suppress";
        return;
      }
      const effect = await send("POST", "/v1/suppressions", { ...request, dry_run: false });
      dialog.close();
      tell(count(effect.hides.length) + " suppressed.");
      await refresh(["state"]);
    });
  }

  const count = (number) => number + (number === 1 ? " finding" : " findings");
  // What acts on a screen instead of being seen is replaced, as the server does.
  const plain = (text) => Array.from(text.slice(0, 160).replace(/[\p{Cc}\p{Cf}]/gu, "\ufffd")).join("");

  function show(preview, effect) {
    const line = document.createElement("p");
    line.textContent = "It would hide " + count(effect.hides.length) + " of " + effect.looked_at + ":";
    const list = document.createElement("ul");
    for (const finding of effect.hides.slice(0, 8)) {
      const item = document.createElement("li");
      const title = document.createElement("bdi");
      title.textContent = plain(finding.title);
      item.append(title, " (" + finding.severity + ")");
      list.append(item);
    }
    preview.replaceChildren(line, list);
    if (effect.hides.length > 8) {
      const more = document.createElement("p");
      more.textContent = "and " + (effect.hides.length - 8) + " more";
      preview.append(more);
    }
  }

  // Live: the stream says what changed, the parts about it are fetched again. Many changes at once are one fetch.
  const about = {
    findings: ["top", "chart", "list", "delivery", "state"],
    judgments: ["top", "chart", "list", "decisions", "state"],
    job: ["jobs"],
    deliveries: ["top", "delivery", "state"],
    missed: ["top", "chart", "list", "delivery", "jobs", "decisions", "state"],
  };
  const waiting = new Set();
  let soon = null;
  function changed(kind) {
    for (const name of about[kind] || []) waiting.add(name);
    if (soon !== null || document.hidden) return;
    soon = setTimeout(async () => {
      soon = null;
      const names = [...waiting];
      waiting.clear();
      // What could not be fetched is fetched with the next change, or the next look.
      if ((await refresh(names)) !== "") for (const name of names) waiting.add(name);
    }, 400);
  }

  const sign = one("#stream");
  function state(is, text) {
    sign.hidden = false;
    sign.className = "stream " + is;
    one("span", sign).textContent = text;
  }
  let tries = 0;
  let stream = null;
  function follow() {
    stream = new EventSource("/v1/changes");
    stream.onopen = () => {
      // What happened while nobody listened.
      if (tries > 0) changed("missed");
      tries = 0;
      state("good", "Live");
    };
    for (const kind of Object.keys(about)) stream.addEventListener(kind, (event) => {
      if (kind === "findings") {
        const told = JSON.parse(event.data);
        tell(told.count === 1 ? "1 new finding." : told.count + " new findings.");
        if (document.hidden) {
          news += told.count;
          title();
        }
      }
      changed(kind);
    });
    stream.onerror = () => {
      // The browser's own tries come too often when a server is away for long.
      stream.close();
      stream = null;
      tries += 1;
      state("none", "Not live");
      setTimeout(follow, Math.min(60000, 1000 * 2 ** Math.min(tries, 6)) * (0.5 + Math.random() / 2));
    };
  }
  if (page === "overview" || page === "finding") {
    follow();
    // What other programs did is told by nobody: a slow look covers it.
    setInterval(() => changed("missed"), 60000);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      news = 0;
      title();
      if (waiting.size > 0) changed("none");
    });
    addEventListener("pagehide", () => { if (stream) stream.close(); });
    addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  }
})();
