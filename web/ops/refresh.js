"use strict";
// Every half minute the page is fetched again, and only sections that differ are put in place of
// the old ones: nothing flickers, what is open stays open, and where one works nothing moves.
const EVERY = 30000;
const said = () => document.getElementById("refreshed");

function replace(before, after) {
  if (before.outerHTML === after.outerHTML || before.contains(document.activeElement)) return;
  for (const details of before.querySelectorAll("details[open]")) {
    const same = details.id && after.querySelector(`details[id="${details.id}"]`);
    if (same) same.open = true;
  }
  const scrolled = Array.from(before.querySelectorAll(".table"), (table) => table.scrollLeft);
  before.replaceWith(after);
  after.querySelectorAll(".table").forEach((table, at) => { table.scrollLeft = scrolled[at] || 0; });
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const after of page.querySelectorAll("main > section")) {
      const before = document.getElementById(after.id);
      if (before) replace(before, after);
    }
    document.title = page.title;
    said().textContent = "";
  } catch {
    said().textContent = "La dernière mise à jour n'a pas abouti.";
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
