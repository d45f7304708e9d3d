"use strict";
// The page is whole without this script; it adds sorting, filtering and copying. It never writes markup.
(function () {
  const all = (selector, root) => Array.from((root || document).querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);

  // Copying: the text beside the button.
  for (const button of all("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = button.parentElement.querySelector("pre");
      let done = false;
      try {
        await navigator.clipboard.writeText(source.textContent);
        done = true;
      } catch {
        getSelection().selectAllChildren(source);
        done = document.execCommand("copy");
      }
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 1600);
    });
  }

  // Sorting: by data-v where a cell has one, else by what it shows; numbers as numbers.
  const key = (row, column) => {
    const cell = row.cells[column];
    const text = cell ? cell.dataset.v || cell.textContent.trim() : "";
    return text !== "" && !isNaN(text) ? Number(text) : text.toLowerCase();
  };
  const compare = (one, other) => {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
  };
  for (const table of all("table.sort")) {
    const heads = all("thead th", table);
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const body = table.tBodies[0];
        const rows = Array.from(body.rows).map((row) => [key(row, column), row]);
        rows.sort((one, other) => (down ? -1 : 1) * compare(one[0], other[0]));
        body.append(...rows.map((pair) => pair[1]));
      });
    });
  }

  // Filtering: cards and rows by words and severity.
  const tools = byId("tools");
  if (tools) {
    tools.hidden = false;
    tools.addEventListener("submit", (event) => event.preventDefault());
    const items = all("#cards > article, #rows > tbody > tr");
    const texts = new Map();
    const text = (item) => {
      if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
      return texts.get(item);
    };
    const filter = () => {
      const words = byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
      const severities = all("[name=severity]:checked", tools).map((box) => box.value);
      let shown = 0;
      for (const item of items) {
        item.hidden = !(severities.includes(item.dataset.s) && words.every((word) => text(item).includes(word)));
        shown += item.hidden ? 0 : 1;
      }
      byId("count").textContent = shown === items.length ? "" : shown + " of " + items.length + " shown";
    };
    let wait;
    byId("filter").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 80); });
    tools.addEventListener("change", filter);
    const folds = byId("folds");
    folds.addEventListener("click", () => {
      const open = folds.textContent === "Open all";
      for (const fold of all("#cards details")) fold.open = open;
      folds.textContent = open ? "Close all" : "Open all";
    });
  }
})();
