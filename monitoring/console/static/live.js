// Shows the figures of now on the map, every three seconds, while somebody is there to look.
"use strict";
(() => {
  const map = document.getElementById("map");
  if (!map) return;
  const every = 3000;
  let failed = 0;

  function arrow(link, line) {
    link.dataset.state = line.state;
    const said = [link.dataset.name, line.text, line.errors, line.said];
    link.setAttribute("aria-label", said.filter(Boolean).join(" "));
    const [text, errors] = link.querySelectorAll(".figure tspan");
    text.textContent = line.text;
    errors.textContent = line.errors;
  }

  function row(tr, line) {
    tr.dataset.state = line.state;
    tr.querySelectorAll("[data-cell]").forEach((cell, place) => {
      if (cell.textContent !== line.cells[place]) cell.textContent = line.cells[place];
    });
  }

  function show(figures) {
    const changed = [];
    for (const place of document.querySelectorAll("[data-line]")) {
      const line = figures.lines[place.dataset.line];
      if (!line) continue;
      const isRow = place.tagName === "TR";
      if (isRow && place.dataset.state !== line.state) changed.push(line.changed);
      (isRow ? row : arrow)(place, line);
    }
    for (const place of document.querySelectorAll("[data-fact]")) {
      const text = figures.facts[place.dataset.fact];
      if (text !== undefined && place.textContent !== text) place.textContent = text;
    }
    // A screen reader is told of states alone: figures change all the time.
    if (changed.length) document.getElementById("changes").textContent = changed.join(", ");
  }

  async function look() {
    try {
      const answer = await fetch("/map/figures", { credentials: "same-origin" });
      if (answer.redirected || answer.status === 403) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
      failed = 0;
    } catch {
      failed += 1;
    }
    map.dataset.old = failed > 2 ? "yes" : "no";
    document.getElementById("old").hidden = failed <= 2;
  }

  async function turn() {
    // This keeps nobody logged in: the console takes it for no sign of a person.
    if (!document.hidden) await look();
    setTimeout(turn, every);
  }
  setTimeout(turn, every);
})();
