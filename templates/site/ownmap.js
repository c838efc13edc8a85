// Filters and sorts tables. Every page reads the same without it.
"use strict";
(function () {
  function text(cell) {
    return cell.hasAttribute("data-value") ? cell.getAttribute("data-value") : cell.textContent.trim();
  }

  // How the cells of a column are compared: by the column's data-sort.
  var orders = {
    number: function (a, b) { return a - b; },
    key: function (a, b) { return a < b ? -1 : a > b ? 1 : 0; },
    text: function (a, b) { return a.localeCompare(b, "en", { numeric: true }); }
  };

  function sort(table, header, column) {
    var up = header.getAttribute("aria-sort") !== "ascending";
    var compare = orders[header.getAttribute("data-sort")];
    table.querySelectorAll("th[aria-sort]").forEach(function (h) { h.removeAttribute("aria-sort"); });
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) { return [text(row.cells[column]), row]; });
    rows.sort(function (a, b) {
      return up ? compare(a[0], b[0]) : compare(b[0], a[0]);
    });
    rows.forEach(function (r) { body.appendChild(r[1]); });
  }

  function sortable(table) {
    Array.from(table.tHead.rows[0].cells).forEach(function (header, column) {
      if (!header.hasAttribute("data-sort")) { return; }
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      button.addEventListener("click", function () { sort(table, header, column); });
      header.replaceChildren(button);
    });
  }

  function filterable(table) {
    var box = document.createElement("div");
    var label = document.createElement("label");
    var input = document.createElement("input");
    var status = document.createElement("span");
    box.className = "filter";
    input.type = "search";
    input.id = table.id + "-filter";
    label.htmlFor = input.id;
    label.textContent = table.getAttribute("data-filter");
    status.setAttribute("role", "status");
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      var rows = Array.from(table.tBodies[0].rows);
      var shown = 0;
      rows.forEach(function (row) {
        var content = row.textContent.toLowerCase();
        row.hidden = !words.every(function (w) { return content.includes(w); });
        if (!row.hidden) { shown++; }
      });
      status.textContent = words.length ? shown + " of " + rows.length + " shown" : "";
    });
    box.append(label, input, status);
    table.parentElement.before(box);
  }

  document.querySelectorAll("table").forEach(sortable);
  document.querySelectorAll("table[data-filter]").forEach(filterable);
})();
