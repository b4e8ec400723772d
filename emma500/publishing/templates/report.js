"use strict";
(() => {
  const plain = text => ` ${text.normalize("NFD").replace(/\p{Mn}/gu, "").toLowerCase().replace(/[\s_()/,;.-]+/g, " ")}`;
  const units = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  const number = text => {
    const [, value, unit] = /^([-+]?[\d.,]+)\s*([kMGT]?B)?/.exec(text) || [];
    return value === undefined ? NaN : parseFloat(value.replace(/,/g, "")) * (units[unit] || 1);
  };

  const searchable = (part, rows) => {
    const [box, input, told] = [".search", "input", "output"].map(each => part.querySelector(each));
    const words = rows.map(row => plain(row.dataset.words));
    const find = () => {
      const wanted = plain(input.value).split(" ").filter(Boolean);
      const start = word => /^[\x21-\x7e]+$/.test(word) ? ` ${word}` : word;
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !wanted.every(word => words[place].includes(start(word)));
        shown += !row.hidden;
      });
      told.value = wanted.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
    };
    box.hidden = false;
    input.addEventListener("input", find);
    find();
  };

  const sortable = (part, rows) => {
    const heads = [...part.querySelectorAll("thead th")];
    const body = part.querySelector("tbody");
    const sort = (head, column) => {
      const falls = head.getAttribute("aria-sort") === "ascending";
      heads.forEach(each => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falls ? "descending" : "ascending");
      const isNumber = head.classList.contains("r");
      const keyed = rows.map(row => {
        const text = row.cells[column].textContent.trim();
        return [row, isNumber ? number(text) : text];
      });
      const known = keyed.filter(([, key]) => isNumber ? !isNaN(key) : key);
      const rest = keyed.filter(each => !known.includes(each));
      known.sort(([, one], [, other]) => (isNumber ? one - other : one.localeCompare(other)) * (falls ? -1 : 1));
      body.append(...[...known, ...rest].map(([row]) => row));
    };
    heads.forEach((head, column) => {
      if (head.classList.contains("c")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(head, column));
      head.append(button);
    });
  };

  for (const part of document.querySelectorAll(".searched")) {
    const rows = [...part.querySelectorAll("tbody tr")];
    if (rows.length > 10) searchable(part, rows);
    sortable(part, rows);
  }
})();
