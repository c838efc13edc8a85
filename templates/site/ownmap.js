// Searches hosts, filters and sorts tables. Every page reads the same without it.
"use strict";
(function () {
  function text(cell) {
    var time = cell.querySelector("time");
    return cell.hasAttribute("data-value") ? cell.getAttribute("data-value") : time ? time.dateTime : cell.textContent.trim();
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

  // The index of the search is loaded by a script element on the first key: a page
  // that is read from the disk may load nothing else.
  function searchable(form) {
    var root = form.getAttribute("data-root");
    var input = form.querySelector("input");
    var found = document.getElementById("found");
    var status = found.querySelector("[role=status]");
    var results = found.querySelector("ul");
    var hosts = [];  // a line of text each
    var lower = [];  // the same in small letters, less the link
    var loading = false, loaded = false;
    var shown = 50;

    window.OWNMAP_INDEX = function (text, next) {
      text.split("\n").forEach(function (line) {
        if (line) {
          hosts.push(line);
          lower.push(line.slice(0, line.lastIndexOf("\t")).toLowerCase());
        }
      });
      if (next) { load(next); } else { loaded = true; }
      search();
    };

    function load(file) {
      var script = document.createElement("script");
      loading = true;
      script.src = root + "assets/" + file;
      script.addEventListener("error", function () { status.textContent = "The search index " + script.src + " cannot be read."; });
      document.head.append(script);
    }

    function item(line) {
      var columns = line.split("\t");
      var li = document.createElement("li");
      var a = document.createElement("a");
      var about = document.createElement("span");
      a.href = root + columns[7];
      a.textContent = columns[0].split(" ")[0] || columns[1];
      about.textContent = [columns[0] && columns[1], columns[2], columns[4], columns[5], columns[6]].filter(Boolean).join(" · ");
      li.append(a, " ", about);
      return li;
    }

    function search() {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      var count = 0, list = [];
      found.hidden = !words.length;
      if (!words.length) { return; }
      for (var i = 0; i < lower.length; i++) {
        for (var w = 0; w < words.length && lower[i].includes(words[w]); w++) { }
        if (w === words.length && ++count <= shown) { list.push(item(hosts[i])); }
      }
      results.replaceChildren.apply(results, list);
      status.textContent = (count === 0 ? "No host" : count === 1 ? "1 host" : count + " hosts") +
        (count > shown ? ", the first " + shown + " are shown" : "") + (loaded ? "" : ", still reading …");
    }

    function links() { return Array.from(results.querySelectorAll("a")); }

    input.addEventListener("input", function () {
      if (!loading) { load("index.js"); }
      search();
    });
    input.addEventListener("keydown", function (e) {
      if (e.key === "ArrowDown" && links().length) { e.preventDefault(); links()[0].focus(); }
    });
    found.addEventListener("keydown", function (e) {
      var step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
      if (!step) { return; }
      var next = links()[links().indexOf(document.activeElement) + step];
      e.preventDefault();
      (next || (step < 0 ? input : document.activeElement)).focus();
    });
    document.addEventListener("keydown", function (e) {
      if (e.key === "Escape" && !found.hidden) { input.value = ""; search(); input.focus(); }
      if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
        e.preventDefault();
        input.focus();
      }
    });
    form.addEventListener("submit", function (e) {
      e.preventDefault();
      if (links().length) { links()[0].click(); }
    });
    form.hidden = false;
    if (input.value) { load("index.js"); }  // the browser came back to the page
  }

  document.querySelectorAll("form.search").forEach(searchable);
  document.querySelectorAll("table").forEach(sortable);
  document.querySelectorAll("table[data-filter]").forEach(filterable);
})();
