// The report page. Everything that comes from the data is hostile: it enters the document as text nodes or as attribute values
// of our own choosing, never as markup, and the page's content security policy lets no other script run.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const number = (n) => Number(n || 0).toLocaleString("en-US");
  const SVG = "http://www.w3.org/2000/svg";

  // element("div", {class: "x", onclick: f}, child, "text", ...)
  function fill(node, attributes, children) {
    for (const [key, value] of Object.entries(attributes || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (typeof value === "function") node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : String(value));
    }
    for (const child of children.flat(9)) {
      if (child !== undefined && child !== null && child !== false && child !== "") node.append(child instanceof Node ? child : String(child));
    }
    return node;
  }
  const element = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
  const shape = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
  const short = (text, most) => ([...text].length > most ? [...text].slice(0, most - 1).join("") + "…" : text);
  const percent = (p) => (p > 0.9995 && p < 1 ? ">99.9 %" : p > 0 && p < 0.0005 ? "<0.1 %" : (p * 100).toFixed(1) + " %");
  const clock = (time) => (time ? time.slice(0, 19).replace("T", " ") : "");
  const compact = (n) => (n >= 1e9 ? (n / 1e9).toFixed(1) + " G" : n >= 1e6 ? (n / 1e6).toFixed(1) + " M" : n >= 1e4 ? (n / 1e3).toFixed(0) + " k" : number(n));
  const bytes = (n) => (n >= 2 ** 30 ? (n / 2 ** 30).toFixed(1) + " GiB" : n >= 2 ** 20 ? (n / 2 ** 20).toFixed(1) + " MiB" : n >= 1024 ? (n / 1024).toFixed(0) + " KiB" : n + " B");

  // One tooltip for all pictures; the same text is the shape's title for those who do not use a pointer.
  const tip = $("tip");
  const tipped = new WeakMap();
  function hint(node, text) {
    tipped.set(node, text);
    node.setAttribute("aria-label", text);
    return node;
  }
  document.addEventListener("pointermove", (event) => {
    const text = event.target instanceof Element ? tipped.get(event.target) : undefined;
    tip.hidden = text === undefined;
    if (text === undefined) return;
    tip.textContent = text;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.width - 8)) + "px";
    tip.style.top = (event.clientY + 18 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 18) + "px";
  });

  const findings = data.findings.map((entry, rank) => ({ ...entry, rank }));
  const alerts = findings.filter((entry) => entry.f.alert);
  const suppressed = findings.filter((entry) => entry.f.suppressed_by).length;

  // ---- header -------------------------------------------------------------------------------------------------------------
  $("period").textContent = data.first ? `${clock(data.first)} to ${clock(data.last)} UTC` : "no dated events";
  const stored = () => { try { return localStorage.getItem("orbwatch-theme"); } catch { return null; } };
  const setTheme = (theme) => { if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme; };
  setTheme(stored());
  $("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    setTheme(dark ? "light" : "dark");
    try { localStorage.setItem("orbwatch-theme", dark ? "light" : "dark"); } catch { /* a file without storage: the choice lasts as long as the page */ }
  });
  const total = data.total;
  const logins = data.days.reduce((sum, day) => sum + day[2], 0);
  const failures = data.days.reduce((sum, day) => sum + day[3], 0);
  const tiles = [
    [number(alerts.length), alerts.length === 1 ? "alert" : "alerts", alerts.length > 0 && "alert"],
    ...(suppressed > 0 ? [[number(suppressed), "suppressed"]] : []),
    [number(data.finding_count - alerts.length - suppressed), "below the budget"],
    [compact(total.events), "events"], [compact(logins), "log-ins"], [compact(failures), "of them failed"],
    [compact(data.users), "users"], [compact(data.sources), "source addresses"], [compact(data.gateways), "gateways"],
  ];
  $("tiles").append(...tiles.map(([value, label, kind]) => element("div", { class: "tile " + (kind || "") }, element("b", {}, value), element("span", {}, label))));

  // ---- pictures -----------------------------------------------------------------------------------------------------------
  const empty = (text) => element("p", { class: "empty" }, text);
  function choice(id, options, use) {
    const buttons = options.map(([value, label], i) => element("button", {
      type: "button", "aria-pressed": i === 0 ? "true" : "false",
      onclick: () => {
        buttons.forEach((button, k) => button.setAttribute("aria-pressed", k === i ? "true" : "false"));
        use(value);
      },
    }, label));
    $(id).append(...buttons);
  }

  function timeline() {
    const days = data.days;
    if (days.length === 0) return $("timeline").replaceChildren(empty("No dated events."));
    const width = Math.max(300, $("timeline").clientWidth), left = width < 600 ? 66 : 92, right = 8;
    const perDay = new Map(days.map((day) => [day[0], 0]));
    for (const { f } of alerts) {
      const day = (f.time || "").slice(0, 10);
      if (perDay.has(day)) perDay.set(day, perDay.get(day) + 1);
    }
    const rows = [["events", 1, "bar-events", 74], ["log-ins", 2, "bar-logins", 54], ["failed", 3, "bar-failures", 44]];
    const step = (width - left - right) / days.length, bar = Math.max(1, Math.min(step * 0.8, 46));
    let y = 4;
    const parts = [];
    for (const [label, column, kind, height] of rows) {
      const most = Math.max(1, ...days.map((day) => day[column]));
      parts.push(shape("text", { x: 0, y: y + height - 16, class: "strong" }, label), shape("text", { x: 0, y: y + height - 2 }, "max " + compact(most)));
      days.forEach((day, i) => {
        const h = day[column] === 0 ? 0 : Math.max(1.5, (day[column] / most) * (height - 6));
        parts.push(hint(shape("rect", { class: kind, x: left + i * step + (step - bar) / 2, y: y + height - h, width: bar, height: h, rx: Math.min(2, bar / 3) }),
          `${day[0]}\n${number(day[1])} events\n${number(day[2])} log-ins, ${number(day[3])} failed\n${number(perDay.get(day[0]))} alerts`));
      });
      y += height;
      parts.push(shape("line", { class: "axis", x1: left, x2: width - right, y1: y + 0.5, y2: y + 0.5 }));
      y += 8;
    }
    parts.push(shape("text", { x: 0, y: y + 13, class: "strong" }, "alerts"));
    days.forEach((day, i) => {
      const n = perDay.get(day[0]);
      if (n > 0) parts.push(hint(shape("circle", { class: "mark", cx: left + (i + 0.5) * step, cy: y + 9, r: Math.min(9, 4 + Math.sqrt(n)) }), `${day[0]}\n${number(n)} alerts`));
    });
    y += 22;
    const every = Math.ceil(74 / step);
    days.forEach((day, i) => {
      if (i % every === 0) parts.push(shape("text", { x: Math.max(36, Math.min(width - 36, left + (i + 0.5) * step)), y: y + 14, "text-anchor": "middle" }, day[0]));
    });
    $("timeline").replaceChildren(shape("svg", { viewBox: `0 0 ${width} ${y + 20}`, width, height: y + 20, role: "img", "aria-label": `Events, log-ins, failures and alerts on ${days.length} days` }, parts));
  }

  let heatColumn = "logins";
  function heat() {
    const values = heatColumn === "logins" ? data.logins_by_hour : data.failures_by_hour;
    const most = Math.max(...values);
    if (most === 0) return $("heat").replaceChildren(empty(heatColumn === "logins" ? "No log-ins." : "No failed log-ins."));
    const width = Math.max(280, $("heat").clientWidth), left = 34, cell = (width - left) / 24, height = Math.max(16, Math.min(cell * 1.5, 34));
    const names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const marked = new Set(alerts.filter(({ f }) => f.time).map(({ f }) => {
      const time = new Date(f.time);
      return ((time.getUTCDay() + 6) % 7) * 24 + time.getUTCHours();
    }));
    const parts = [];
    names.forEach((day, d) => {
      parts.push(shape("text", { x: 0, y: d * height + height / 2 + 4 }, day));
      for (let h = 0; h < 24; ++h) {
        const i = d * 24 + h, value = values[i];
        const node = shape("rect", { x: left + h * cell + 1, y: d * height + 1, width: cell - 2, height: height - 2, rx: 3, class: value === 0 ? "cell none" : heatColumn === "logins" ? "cell" : "cell failed" });
        if (value > 0) node.setAttribute("fill-opacity", (0.12 + 0.88 * Math.sqrt(value / most)).toFixed(3));
        parts.push(hint(node, `${day} ${String(h).padStart(2, "0")}:00 UTC\n${number(data.logins_by_hour[i])} log-ins, ${number(data.failures_by_hour[i])} failed${marked.has(i) ? "\nan alert falls into this hour" : ""}`));
        if (marked.has(i)) parts.push(shape("circle", { class: "mark", cx: left + (h + 0.5) * cell, cy: (d + 0.5) * height, r: Math.min(4, cell / 3), "pointer-events": "none" }));
      }
    });
    for (let h = 0; h < 24; h += width < 420 ? 6 : 3) parts.push(shape("text", { x: left + (h + 0.5) * cell, y: 7 * height + 15, "text-anchor": "middle" }, String(h).padStart(2, "0")));
    $("heat").replaceChildren(shape("svg", { viewBox: `0 0 ${width} ${7 * height + 20}`, width, height: 7 * height + 20, role: "img", "aria-label": "Log-ins by weekday and hour" }, parts),
      element("p", { class: "legend" }, `UTC. Darkest: ${number(most)} ${heatColumn === "logins" ? "log-ins" : "failures"}. Red marks: alerts.`));
  }

  let mapPart = "world";
  function map() {
    const spots = findings.filter((entry) => entry.lat !== undefined);
    if (data.places.length === 0 && spots.length === 0) return $("map").replaceChildren(empty("No places are known: there were no network facts, or no log-ins."));
    const width = Math.max(280, $("map").clientWidth);
    let box = [0, 4, 360, 146];
    if (mapPart === "data") {
      const xs = [...data.places.map((p) => p[1]), ...spots.map((s) => s.lon)].map((lon) => lon + 180);
      const ys = [...data.places.map((p) => p[0]), ...spots.map((s) => s.lat)].map((lat) => 90 - lat);
      const x0 = Math.min(...xs) - 4, x1 = Math.max(...xs) + 4, y0 = Math.min(...ys) - 4, y1 = Math.max(...ys) + 4;
      const w = Math.max(x1 - x0, ((y1 - y0) * 360) / 146, 24), h = (w * 146) / 360;
      box = [(x0 + x1 - w) / 2, (y0 + y1 - h) / 2, w, h];
    }
    const scale = box[2] / width;  // degrees a pixel
    const most = Math.max(1, ...data.places.map((p) => p[4]));
    const dots = [...data.places].sort((a, b) => b[4] - a[4]).map(([lat, lon, city, country, n, failed]) =>
      hint(shape("circle", { class: "place", cx: lon + 180, cy: 90 - lat, r: (2.5 + 11 * Math.sqrt(n / most)) * scale, "stroke-width": scale }),
        `${[city, country].filter(Boolean).join(", ") || "unknown place"}\n${number(n)} log-ins, ${number(failed)} failed`));
    const byPlace = new Map();
    for (const spot of spots) {
      const key = `${spot.lat.toFixed(1)} ${spot.lon.toFixed(1)} ${spot.f.alert}`;
      if (byPlace.has(key)) byPlace.get(key).n++;
      else if (spot.f.alert || byPlace.size < 500) byPlace.set(key, { spot, n: 1 });
    }
    const red = [...byPlace.values()].filter(({ spot }) => spot.f.alert).map(({ spot, n }) =>
      hint(shape("circle", { class: "place hot", cx: spot.lon + 180, cy: 90 - spot.lat, r: (4 + Math.min(5, Math.sqrt(n))) * scale, "stroke-width": scale }),
        `${[spot.f.source?.city, spot.f.source?.country].filter(Boolean).join(", ")}\n${number(n)} ${n === 1 ? "alert" : "alerts"}`));
    const lines = [];
    for (let lon = 0; lon <= 360; lon += 30) lines.push(`M${lon} 0V180`);
    for (let lat = 0; lat <= 180; lat += 30) lines.push(`M0 ${lat}H360`);
    $("map").replaceChildren(
      shape("svg", { viewBox: box.join(" "), width, height: (width * 146) / 360, role: "img", "aria-label": `Map of ${data.places.length} places of log-ins and ${red.length} places of alerts` },
        shape("rect", { class: "water", x: -180, y: -180, width: 720, height: 540 }),
        shape("path", { class: "graticule", d: lines.join(""), "stroke-width": scale * 0.6 }), shape("path", { class: "land", d: WORLD }), dots, red),
      element("p", { class: "legend" }, element("span", {}, element("i"), "log-ins (area by number)"), element("span", {}, element("i", { class: "hot" }), "alerts")));
  }

  function sankey() {
    const paths = data.paths.filter((p) => p[3] > 0);
    if (paths.length === 0) return $("sankey").replaceChildren(empty("No log-ins."));
    const width = Math.max(300, $("sankey").clientWidth), narrow = width < 560;
    // The largest nodes of each column; the others stand together.
    const keep = [0, 1, 2].map((column) => {
      const sums = new Map();
      for (const p of paths) sums.set(p[column], (sums.get(p[column]) || 0) + p[3]);
      return new Set([...sums].sort((a, b) => b[1] - a[1]).slice(0, [8, 8, 14][column]).map(([name]) => name));
    });
    const columns = [new Map(), new Map(), new Map()], links = [new Map(), new Map()];
    const node = (column, name) => {
      const key = keep[column].has(name) ? name : "others";
      if (!columns[column].has(key)) columns[column].set(key, { key, column, sum: 0, used: [0, 0] });
      return columns[column].get(key);
    };
    for (const p of paths) {
      const nodes = [0, 1, 2].map((column) => node(column, p[column]));
      nodes.forEach((n) => (n.sum += p[3]));
      for (const side of [0, 1]) {
        // Keyed by pairs of nodes; names are of the data, so no separator of ours would be safe inside one string.
        if (!links[side].has(nodes[side])) links[side].set(nodes[side], new Map());
        const to = links[side].get(nodes[side]);
        to.set(nodes[side + 1], (to.get(nodes[side + 1]) || 0) + p[3]);
      }
    }
    const all = paths.reduce((sum, p) => sum + p[3], 0);
    const lists = columns.map((c) => [...c.values()].sort((a, b) => (a.key === "others") - (b.key === "others") || b.sum - a.sum));
    const gap = 13, height = Math.max(260, Math.max(...lists.map((l) => l.length)) * 30);  // labels of the thinnest must not touch
    const usable = Math.min(...lists.map((l) => height - gap * (l.length - 1)));
    const thick = 11, x = narrow ? [0, (width - thick) / 2, width - thick] : [0, width * 0.42, width - thick - Math.min(190, width * 0.2)];
    for (const list of lists) {
      let y = (height - (usable + gap * (list.length - 1))) / 2;
      for (const n of list) {
        n.y = y;
        n.h = Math.max(1, (n.sum / all) * usable);
        y += n.h + gap;
      }
    }
    const ribbons = [], labels = [];
    for (const side of [0, 1]) {
      for (const a of lists[side]) {
        for (const b of lists[side + 1]) {
          const n = links[side].get(a)?.get(b);
          if (!n) continue;
          const h = (n / all) * usable, y0 = a.y + a.used[1], y1 = b.y + b.used[0], x0 = x[side] + thick, x1 = x[side + 1], m = (x0 + x1) / 2;
          a.used[1] += h;
          b.used[0] += h;
          const hosting = side === 0 && /hosting|vps|proxy|tor\b/i.test(a.key);
          const ribbon = hint(shape("path", { class: "ribbon" + (hosting ? " hosting" : ""), d: `M${x0} ${y0}C${m} ${y0} ${m} ${y1} ${x1} ${y1}v${Math.max(0.7, h)}C${m} ${y1 + h} ${m} ${y0 + h} ${x0} ${y0 + h}z` }),
            `${a.key || "unknown"} → ${b.key || "unknown"}\n${number(n)} log-ins`);
          ribbon.ends = [a, b];
          ribbons.push(ribbon);
        }
      }
    }
    lists.forEach((list, column) => list.forEach((n) => {
      const light = (on) => () => ribbons.forEach((r) => r.classList.toggle("lit", on && r.ends.includes(n)));
      labels.push(hint(shape("rect", { class: "node", x: x[column], y: n.y, width: thick, height: n.h, rx: 2, onpointerenter: light(true), onpointerleave: light(false) }), `${n.key || "unknown"}\n${number(n.sum)} log-ins`));
      const last = column === 2 && narrow;
      labels.push(shape("text", { class: "strong", x: last ? x[column] - 5 : x[column] + thick + 6, y: n.y + n.h / 2 + 4, "text-anchor": last ? "end" : "start", "pointer-events": "none" },
        short(n.key || "unknown", narrow ? 13 : 26), narrow ? "" : shape("tspan", { class: "count", dx: 6, "fill-opacity": 0.65 }, number(n.sum))));
    }));
    $("sankey").replaceChildren(shape("svg", { viewBox: `0 -4 ${width} ${height + 8}`, width, height: height + 8, role: "img", "aria-label": "Log-ins from network types through gateways to users" }, ribbons, labels));
  }

  choice("heat-choice", [["logins", "log-ins"], ["failures", "failures"]], (value) => { heatColumn = value; heat(); });
  choice("map-choice", [["world", "world"], ["data", "fit"]], (value) => { mapPart = value; map(); });
  const pictures = () => { timeline(); heat(); map(); sankey(); };
  pictures();
  let drawn = innerWidth, wait = 0;
  addEventListener("resize", () => {
    clearTimeout(wait);
    wait = setTimeout(() => { if (innerWidth !== drawn) { drawn = innerWidth; pictures(); } }, 120);
  });

  // ---- findings -----------------------------------------------------------------------------------------------------------
  const PAGE = 25;
  const searchable = findings.map(({ f }) => JSON.stringify(f).toLowerCase());
  let page = 0, shown = findings;
  const open = new Set(findings.length > 0 && findings[0].f.alert ? [0] : []);
  const who = (f) => f.user || (f.users ? (f.users.length === 1 ? f.users[0] : `${number(f.user_count || f.users.length)} users`) : "");
  const whence = (f) => (f.sources && f.sources.length > 1 ? `${number(f.source_count || f.sources.length)} sources` : f.source?.ip || f.sources?.[0]?.ip || "");
  const where = (s) => [s.network_type, [s.city, s.country].filter(Boolean).join(", "), [s.asn && "AS" + s.asn, s.org].filter(Boolean).join(" ")].filter(Boolean).join(" · ");

  function evidence(list) {
    const most = Math.max(1, ...list.map((e) => Math.abs(e.llr || 0))), half = 74;
    return element("div", { class: "evidence" }, list.map((e) => {
      const llr = e.llr || 0, w = Math.max(1, (Math.abs(llr) / most) * half);
      return [
        shape("svg", { viewBox: `0 0 ${2 * half} 10`, height: 10, preserveAspectRatio: "none", "aria-hidden": "true" },
          shape("line", { class: "axis", x1: half, x2: half, y1: 0, y2: 10 }), shape("rect", { class: llr < 0 ? "minus" : "plus", x: llr < 0 ? half - w : half, y: 1, width: w, height: 8, rx: 1.5 })),
        element("span", { class: "num" }, (llr < 0 ? "−" : "+") + Math.abs(llr).toFixed(1)),
        element("span", {}, e.says || e.kind, element("code", {}, e.kind)),
      ];
    }));
  }
  function steps(f) {
    const left = (f.timeline_count || 0) - f.timeline.length;
    return element("ol", { class: "steps" }, f.timeline.map((step) => element("li", { class: step.alert && "alerting" },
      element("time", {}, clock(step.time)), element("b", {}, String(step.what || "").replaceAll("-", " ")),
      element("span", {}, [step.source?.ip, step.source && where(step.source)].filter(Boolean).join(" · ")),
      element("span", { class: "says" }, step.says, step.finding && element("code", {}, step.finding)))),
      left > 0 && element("li", { class: "hint" }, `and ${number(left)} more`));
  }
  const said = (v) => v && `${v.says} by ${v.author || "nobody named"}${v.time ? ` on ${v.time.slice(0, 10)}` : ""}${v.expires && v.expires !== "never" ? `, until ${v.expires.slice(0, 10)}` : ""}${v.reason ? `: ${v.reason}` : ""} (${v.id})`;
  function facts(f) {
    const rows = [["Time", f.end && f.end !== f.time ? `${clock(f.time)} to ${clock(f.end)} UTC` : f.time && clock(f.time) + " UTC"], ["User", f.user], ["Outcome", f.outcome],
      ["Gateway", f.gateway], ["Device", f.device], ["Source", f.source?.ip], ["Network type", f.source?.network_type], ["Who says so", f.source?.claims],
      ["Place", [f.source?.city, f.source?.country].filter(Boolean).join(", ")], ["Provider", [f.source?.asn && "AS" + f.source.asn, f.source?.org].filter(Boolean).join(" ")],
      ["Covert network", f.network], ["After a try of the spray", f.related],
      ["Users", f.users && f.users.length > 0 && `${f.users.join(", ")}${f.user_count > f.users.length ? ` and ${number(f.user_count - f.users.length)} more` : ""}`],
      ["Sources", f.sources && f.sources.length > 0 && `${f.sources.map((s) => s.ip).join(", ")}${f.source_count > f.sources.length ? ` and ${number(f.source_count - f.sources.length)} more` : ""}`],
      ["Verdict", said(f.verdict)], ["Suppressed by", said(f.suppressed_by)], ["An alert although suppressed by", said(f.risen_above)],
      ["Finding", f.id]];
    return element("dl", { class: "facts" }, rows.filter(([, value]) => value).map(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]));
  }
  function body(entry, id) {
    const f = entry.f;
    return element("div", { class: "body", id },
      f.hypothesis && [element("h3", {}, "Hypothesis"), element("p", {}, f.hypothesis, " ", (f.attack || []).map((technique) => element("span", { class: "tag" }, technique)))],
      f.evidence && [element("h3", {}, "Evidence (log-likelihood ratio: right speaks for a covert network, left for ordinary use)"), evidence(f.evidence)],
      f.timeline && f.timeline.length > 0 && [element("h3", {}, "What happened (UTC)"), steps(f)],
      f.advice && element("p", { class: "advice" }, element("b", {}, "What to do"), f.advice),
      element("h3", {}, "Facts"), facts(f),
      f.records && [element("h3", {}, "Records"), f.records.map((r) => [element("div", { class: "hint" }, r.file, r.line ? `, line ${number(r.line)}` : `, byte ${number(r.offset)}`), r.raw && element("pre", {}, r.raw)]),
        entry.more_records && element("p", { class: "hint" }, `and ${number(entry.more_records)} more records`)]);
  }
  function card(entry) {
    const f = entry.f, id = "finding-" + entry.rank;
    const box = element("article", { class: "finding " + (/^[a-z]+$/.test(f.severity) ? f.severity : "") });
    const toggle = element("button", { type: "button", class: "head", "aria-expanded": "false", "aria-controls": id },
      element("span", { class: "score" }, percent(f.score), element("span", { class: "meter" }, meter(f.score))),
      element("span", { class: "badges" }, element("span", { class: "badge" }, f.severity), element("span", { class: "kind" }, f.kind)),
      element("span", { class: "what" }, element("b", {}, [who(f), f.gateway || f.device].filter(Boolean).join(" → ") || f.kind), element("span", {}, [whence(f), f.source && where(f.source)].filter(Boolean).join(" · "))),
      element("span", { class: "when" }, f.alert && element("b", {}, "alert"), f.suppressed_by && element("i", {}, "suppressed"), clock(f.time)), element("span", { class: "twist", "aria-hidden": "true" }, "›"));
    box.append(element("h3", {}, toggle));
    const show = (on) => {
      toggle.setAttribute("aria-expanded", on ? "true" : "false");
      if (on && !box.querySelector(".body")) box.append(body(entry, id));
      else if (!on) box.querySelector(".body")?.remove();
    };
    toggle.addEventListener("click", () => {
      const on = toggle.getAttribute("aria-expanded") !== "true";
      if (on) open.add(entry.rank); else open.delete(entry.rank);
      show(on);
    });
    if (open.has(entry.rank)) show(true);
    return box;
  }
  function meter(score) {
    const node = element("i");
    node.style.width = (Math.min(1, Math.max(0, score)) * 100).toFixed(1) + "%";
    return node;
  }
  function list() {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(page, pages - 1);
    $("list").replaceChildren(...shown.slice(page * PAGE, (page + 1) * PAGE).map(card));
    if (shown.length === 0) $("list").replaceChildren(empty(findings.length === 0 ? "Nothing was found." : "No finding matches."));
    const turn = (to) => () => { page = to; list(); $("findings").scrollIntoView(); };
    $("pages").replaceChildren(...(pages === 1 ? [] : [element("button", { type: "button", disabled: page === 0, onclick: turn(page - 1) }, "‹ Previous"),
      element("span", {}, `page ${page + 1} of ${pages}`), element("button", { type: "button", disabled: page === pages - 1, onclick: turn(page + 1) }, "Next ›")]));
    const left_out = data.finding_count - findings.length;
    $("count").textContent = (shown.length === findings.length ? `${number(findings.length)} findings` : `${number(shown.length)} of ${number(findings.length)} findings`) + (left_out > 0 ? `; ${number(left_out)} of lower score are left out of this page` : "");
  }
  function select() {
    const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = $("kind").value, only = $("alerts-only").checked;
    shown = findings.filter((entry) => (!only || entry.f.alert) && (!kind || entry.f.kind === kind) && words.every((word) => searchable[entry.rank].includes(word)));
    const order = $("sort").value;
    if (order === "time") shown.sort((a, b) => (b.f.time || "").localeCompare(a.f.time || "") || a.rank - b.rank);
    if (order === "kind") shown.sort((a, b) => a.f.kind.localeCompare(b.f.kind) || a.rank - b.rank);
    page = 0;
    list();
  }
  $("kind").append(...[...new Set(findings.map(({ f }) => f.kind))].sort().map((kind) => element("option", { value: kind }, kind)));
  let typing = 0;
  $("filter").addEventListener("input", () => { clearTimeout(typing); typing = setTimeout(select, findings.length > 500 ? 120 : 0); });
  for (const id of ["sort", "kind", "alerts-only"]) $(id).addEventListener("change", select);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName || "") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      $("filter").focus();
    }
  });
  // On paper nothing can be opened: the alerts of the page stand open.
  addEventListener("beforeprint", () => {
    for (const entry of shown.slice(page * PAGE, (page + 1) * PAGE)) if (entry.f.alert) open.add(entry.rank);
    list();
  });
  list();

  // ---- covert networks ----------------------------------------------------------------------------------------------------
  const days = (n) => `${Number(n).toFixed(n < 10 ? 1 : 0)} days`;
  const range = (b, unit) => b && `${unit(b.value)} (${unit(b.low)} to ${b.high === undefined ? "any number" : unit(b.high)})`;
  const whole = (n) => number(Math.round(n));
  // Nodes that are linked draw one another near, all push one another away (Fruchterman and Reingold 1991). Begun from
  // the same circle each time.
  function graph(n) {
    const last = Math.min(n.active_nodes, 100);
    const used = new Set(n.links.flatMap((l) => [l.a, l.b]).filter((i) => i < last));
    const nodes = [...used].sort((a, b) => a - b).map((i, k, all) => ({ i, node: n.nodes[i], x: Math.cos((2 * Math.PI * k) / all.length), y: Math.sin((2 * Math.PI * k) / all.length) }));
    if (nodes.length < 2) return empty("No links to show.");
    const at = new Map(nodes.map((node) => [node.i, node]));
    const links = n.links.filter((l) => at.has(l.a) && at.has(l.b));
    const ideal = 1.6 / Math.sqrt(nodes.length);
    for (let round = 0; round < 160; ++round) {
      for (const node of nodes) [node.dx, node.dy] = [-0.02 * node.x, -0.02 * node.y];
      for (let a = 0; a < nodes.length; ++a) for (let b = a + 1; b < nodes.length; ++b) {
        const x = nodes[a].x - nodes[b].x, y = nodes[a].y - nodes[b].y, square = Math.max(x * x + y * y, 1e-4), push = (ideal * ideal) / square;
        nodes[a].dx += x * push; nodes[a].dy += y * push; nodes[b].dx -= x * push; nodes[b].dy -= y * push;
      }
      for (const l of links) {
        const a = at.get(l.a), b = at.get(l.b), x = a.x - b.x, y = a.y - b.y, pull = Math.hypot(x, y) / ideal / 4;
        a.dx -= x * pull; a.dy -= y * pull; b.dx += x * pull; b.dy += y * pull;
      }
      const most = 0.12 * (1 - round / 160);
      for (const node of nodes) {
        const far = Math.hypot(node.dx, node.dy) || 1, step = Math.min(far, most) / far;
        node.x += node.dx * step; node.y += node.dy * step;
      }
    }
    const xs = nodes.map((node) => node.x), ys = nodes.map((node) => node.y);
    const x0 = Math.min(...xs), y0 = Math.min(...ys), w = Math.max(...xs) - x0 || 1, h = Math.max(...ys) - y0 || 1, width = 520, height = 300;
    const place = (node) => [12 + ((node.x - x0) / w) * (width - 24), 12 + ((node.y - y0) / h) * (height - 24)];
    const strongest = Math.max(...links.map((l) => l.nats));
    return shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `Links between ${nodes.length} nodes` },
      links.map((l) => {
        const [xa, ya] = place(at.get(l.a)), [xb, yb] = place(at.get(l.b));
        return hint(shape("line", { class: "link", x1: xa, y1: ya, x2: xb, y2: yb, "stroke-opacity": (0.15 + 0.55 * (l.nats / strongest)).toFixed(2) }), `${n.nodes[l.a].ip} and ${n.nodes[l.b].ip}: ${l.nats.toFixed(1)} nats\n${l.why}`);
      }),
      nodes.map((node) => {
        const [cx, cy] = place(node);
        return hint(shape("circle", { class: "dot " + (/^[a-z-]+$/.test(node.node.role) ? node.node.role : ""), cx, cy, r: 4.5 }), `${node.node.ip}\n${[node.node.org, node.node.city, node.node.country].filter(Boolean).join(", ")}\n${node.node.role}: ${node.node.role_why}`);
      }));
  }
  function lives(n) {
    // From first to last sighting, a line each.
    const shown = n.nodes.slice(0, 80), from = Math.min(...shown.map((node) => Date.parse(node.first))), to = Math.max(...shown.map((node) => Date.parse(node.last)));
    const width = 520, height = Math.max(60, shown.length * 4 + 24), x = (time) => 4 + ((Date.parse(time) - from) / Math.max(1, to - from)) * (width - 8);
    const sorted = [...shown].sort((a, b) => a.first.localeCompare(b.first));
    return shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `When ${shown.length} nodes were seen` },
      sorted.map((node, i) => hint(shape("line", { class: node.active ? "life" : "life past", x1: x(node.first), x2: Math.max(x(node.last), x(node.first) + 2), y1: 4 + i * 4, y2: 4 + i * 4 }), `${node.ip}\n${clock(node.first)} to ${clock(node.last)}\n${number(node.sightings)} sightings`)),
      shape("text", { x: 4, y: height - 4 }, new Date(from).toISOString().slice(0, 10)), shape("text", { x: width - 4, y: height - 4, "text-anchor": "end" }, new Date(to).toISOString().slice(0, 10)));
  }
  function survival(n) {
    if (!n.survival || n.survival.length < 2) return empty("Too few nodes have left it.");
    const width = 520, height = 170, left = 34, last = n.survival[n.survival.length - 1][0] || 1;
    const x = (day) => left + (day / last) * (width - left - 8), y = (share) => 8 + (1 - share) * (height - 34);
    let path = `M${x(0)} ${y(1)}`;
    for (const [day, share] of n.survival.slice(1)) path += `H${x(day).toFixed(1)}V${y(share).toFixed(1)}`;
    return shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Share of nodes that are still there after so many days" },
      [0, 0.5, 1].map((share) => [shape("line", { class: "axis", x1: left, x2: width - 8, y1: y(share), y2: y(share) }), shape("text", { x: 0, y: y(share) + 4 }, `${share * 100} %`)]),
      shape("path", { class: "curve", d: path }), shape("text", { x: left, y: height - 6 }, "0"), shape("text", { x: width - 8, y: height - 6, "text-anchor": "end" }, days(last)));
  }
  function nodeMap(n) {
    const placed = n.nodes.filter((node) => node.latitude !== undefined);
    if (placed.length === 0) return empty("No places are known.");
    const xs = placed.map((node) => node.longitude + 180), ys = placed.map((node) => 90 - node.latitude);
    const w = Math.max(Math.max(...xs) - Math.min(...xs) + 6, (Math.max(...ys) - Math.min(...ys) + 6) * 1.75, 14), h = w / 1.75;
    const box = [(Math.max(...xs) + Math.min(...xs) - w) / 2, (Math.max(...ys) + Math.min(...ys) - h) / 2, w, h], scale = w / 520;
    return shape("svg", { viewBox: box.join(" "), role: "img", "aria-label": `Where ${placed.length} nodes stand` }, shape("rect", { class: "water", x: -180, y: -180, width: 720, height: 540 }), shape("path", { class: "land", d: WORLD }),
      placed.map((node) => hint(shape("circle", { class: node.active ? "place hot" : "place", cx: node.longitude + 180, cy: 90 - node.latitude, r: 5 * scale, "stroke-width": scale }), `${node.ip}\n${[node.city, node.country].filter(Boolean).join(", ")}\n${node.role}`)));
  }
  function network(n, i) {
    n.nodes ||= []; n.links ||= []; n.behaviour ||= {};
    const share = (t) => `${(100 * t.share_inside).toFixed(0)} % of its nodes, ${t.share_background < 0.001 ? "<0.1" : (100 * t.share_background).toFixed(1)} % of all sources`;
    const roles = new Map();
    for (const node of n.nodes) if (node.active) roles.set(node.role, (roles.get(node.role) || 0) + 1);
    const rows = [["Nodes", `${number(n.active_nodes)} active, ${number(n.node_count - n.active_nodes)} gone`], ["Active", `${clock(n.first)} to ${clock(n.last)} UTC`],
      ["Roles", [...roles].map(([role, count]) => `${number(count)} ${role}`).join(", ")], ["Size", n.size && `${range(n.size, whole)} by ${n.size_method}`], ["Half-life of a node", range(n.half_life_days, days)],
      ["New nodes on the next day", n.births_expected && range(n.births_expected, (x) => Number(x).toFixed(1)) + (n.likely_providers || []).slice(0, 3).map((p, i) => `${i === 0 ? ", mostly from " : ", "}${p.org || "AS" + p.asn} (${(100 * p.share.value).toFixed(0)} %)`).join("")], ["Attempts per account and day", n.behaviour.attempts_per_account_day && Number(n.behaviour.attempts_per_account_day).toFixed(2)],
      ["Accounts tried", n.behaviour.accounts_tried && number(n.behaviour.accounts_tried)], ["Gateways", (n.behaviour.gateways || []).map((g) => g.value).join(", ")], ["Ports asked for", (n.behaviour.ports || []).map((p) => p.value).join(", ")],
      ["Providers", (n.providers || []).slice(0, 6).map((p) => `${p.org || "AS" + p.asn} ${(100 * p.share).toFixed(0)} %`).join(", ")], ["Nodes of other networks", (n.overlaps || []).map((o) => `${number(o.common)} of ${o.network} (by chance ${Number(o.expected).toFixed(1)}; ${number(o.onward || 0)} went on to it, ${number(o.back || 0)} came from it)`).join("; ")], ["Findings", [...new Set([...(n.findings || []), ...(n.campaigns || [])])].slice(0, 12).join(", ")], ["Confidence", percent(n.confidence)]];
    const nodeHeads = [["Address"], ["Role"], ["First", "num"], ["Last", "num"], ["Provider"], ["Place"], ["Seen", "num"]];
    return element("details", { class: "card network", open: i === 0 }, element("summary", {}, element("b", {}, `Network ${n.id}`), ` ${number(n.active_nodes)} active nodes`, (n.known || [])[0] && ` · looks like ${n.known[0].name}`),
      element("div", { class: "grid" }, element("div", {}, element("h3", {}, "Facts"), element("dl", { class: "facts one" }, rows.filter(([, value]) => value).map(([label, value]) => [element("dt", {}, label), element("dd", {}, value)]))),
        element("figure", {}, element("h3", {}, "Links between nodes"), graph(n)), element("figure", {}, element("h3", {}, "When nodes were seen"), lives(n)),
        element("figure", {}, element("h3", {}, "Where they stand"), nodeMap(n)), element("figure", {}, element("h3", {}, "How long nodes stay"), survival(n)),
        element("div", {}, (n.traits || []).length > 0 && [element("h3", {}, "What they have in common"), element("ul", {}, n.traits.map((t) => element("li", {}, `${t.kind} `, element("code", {}, t.value), `: ${share(t)}`)))],
          (n.known || []).length > 0 && [element("h3", {}, "Known networks"), element("ul", {}, n.known.map((k) => element("li", {}, k.says)))],
          (n.history || []).length > 0 && [element("h3", {}, "History"), element("ol", { class: "steps" }, n.history.map((c) => element("li", {}, element("time", {}, clock(c.time)), element("b", {}, c.what), element("span", {}, c.other), element("span", {}, c.why))))])),
      element("h3", {}, "Nodes"), table(nodeHeads, n.nodes.slice(0, 50).map((node) => cells(nodeHeads, [node.ip, element("span", { title: node.role_why }, node.role || "", node.active ? "" : " (gone)"), clock(node.first), clock(node.last), node.org, [node.city, node.country].filter(Boolean).join(", "), number(node.sightings)]))),
      n.node_count > 50 && element("p", { class: "hint" }, `and ${number(n.node_count - 50)} more`));
  }
  const table = (heads, rows) => element("div", { class: "scroll" }, element("table", {},
    element("thead", {}, element("tr", {}, heads.map(([label, kind]) => element("th", { scope: "col", class: kind }, label)))), element("tbody", {}, rows)));
  const cells = (heads, values, kind) => element("tr", { class: kind }, values.map((value, i) => element("td", { class: heads[i][1] }, value)));
  function halfLives(rows) {
    const heads = [["Network", "word"], ["Known before", "num"], ["Learned here", "num"], ["Deaths", "num"], ["Lives", "num"], ["In use", "num"], ["Falls below", "num"]];
    return element("div", {}, element("h3", {}, "How fast indicators die here"),
      element("p", { class: "hint" }, `Half-lives of addresses as nodes of covert networks, with intervals of 90 %. The last column: the age at which an address of a feed that states no confidence is believed less than ${Math.round(100 * rows[0].threshold)} % (docs/feeds.md).`),
      table(heads, rows.map((h) => cells(heads, [h.network_type, days(h.prior_days), h.learned_days ? range(h.learned_days, days) + (h.cut ? " (at the edge of what is believed)" : "") : "too few deaths", number(h.deaths), number(h.lives), days(h.days), days(h.falls_below_days)]))));
  }
  if (data.networks.length > 0) {
    $("networks").append(element("h2", {}, "Covert networks"), element("p", { class: "hint" }, "Addresses behind weak and strong signs that one operator explains better than strangers do (docs/networks.md)."), ...data.networks.map(network));
    if (data.network_count > data.networks.length) $("networks").append(element("p", { class: "hint" }, `and ${number(data.network_count - data.networks.length)} less certain ones`));
    if (data.half_lives.length > 0) $("networks").append(halfLives(data.half_lives));
  } else $("networks").remove();

  // ---- tables -------------------------------------------------------------------------------------------------------------
  const fileHeads = [["Input", "path"], ["Format", "word"], ["Size", "num"], ["Records", "num"], ["Events", "num"], ["Ignored", "num"], ["Rejected", "num"], ["Remarks"]];
  const formatHeads = [["Format or reason"], ["Fate"], ["Records", "num"]];
  const most_inputs = 500;
  $("accounting").append(element("h2", {}, "Where every record went"),
    element("p", { class: "sum" }, `${number(total.records)} read = ${number(total.events)} events + ${number(total.ignored)} ignored + ${number(total.rejected)} rejected`),
    total.records === total.events + total.ignored + total.rejected ? "" : element("p", { class: "no" }, "The sum is wrong: please report this."),
    table(fileHeads, data.inputs.slice(0, most_inputs).map((i) => cells(fileHeads, [i.path, i.format, bytes(i.bytes), number(i.records), number(i.events), number(i.ignored), number(i.rejected),
      i.error || (i.recognised ? i.first_reject : "no format recognised")], i.error ? "bad" : ""))),
    data.inputs.length > most_inputs ? element("p", { class: "hint" }, `and ${number(data.inputs.length - most_inputs)} more inputs`) : "",
    table(formatHeads, data.reasons.map((r) => cells(formatHeads, [r[1], r[0], number(r[2])]))));
  const hypothesisHeads = [["Detector"], ["Hypothesis"], ["Tested"], ["Events looked at", "num"]];
  $("hypotheses").append(element("h2", {}, "What was looked for"), table(hypothesisHeads, data.hypotheses.map((h) => cells(hypothesisHeads,
    [h.detector, h.hypothesis, h.tested ? element("span", { class: "yes" }, "yes") : element("span", { class: "no" }, "no: " + h.why_not), number(h.events)]))));
  if (data.notes.length > 0) $("notes").append(element("h2", {}, "Notes"), element("ul", {}, data.notes.map((note) => element("li", {}, note))));
  else $("notes").remove();
  document.documentElement.dataset.ready = "true";
})();
