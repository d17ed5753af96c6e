"use strict";
(() => {
  const table = document.querySelector("table.results");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const find = document.getElementById("find");
  const only = document.getElementById("only");
  const shown = document.getElementById("shown");
  const number = (text) => {
    const found = text.replace(/,/g, "").match(/[-+]?\d+(\.\d+)?(e[-+]?\d+)?/i);
    return found ? Number(found[0]) : Infinity;
  };
  const filter = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !(words.every((word) => text.includes(word)) && (!only.value || row.className === only.value));
      count += row.hidden ? 0 : 1;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length}`;
  };
  const sort = (head, index) => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const numeric = rows.length > 0 && rows[0].cells[index].classList.contains("n");
    const keyed = rows.map((row) => [row.cells[index].textContent, row]);
    const order = numeric ? (a, b) => { const x = number(a), y = number(b); return x < y ? -1 : x > y ? 1 : 0; }
      : (a, b) => a.localeCompare(b);
    keyed.sort((a, b) => (up ? 1 : -1) * order(a[0], b[0]));
    body.append(...keyed.map((pair) => pair[1]));
  };
  [...table.tHead.rows[0].cells].forEach((head, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(head, index));
  });
  find.addEventListener("input", filter);
  only.addEventListener("change", filter);
  const whole = document.querySelector("#whole input");
  const widen = () => table.classList.toggle("brief", !whole.checked);
  whole.addEventListener("input", widen);
  widen();
  document.querySelector(".tools").hidden = false;
  const open = () => {
    const aim = document.getElementById(location.hash.slice(1));
    if (aim && aim.tagName === "DETAILS") aim.open = true;
  };
  window.addEventListener("hashchange", open);
  open();
})();
