// Opens generated reports in a real Chromium (through chromedriver's HTTP interface) and looks at what happened: no script of the data ran,
// nothing was logged, no request was made, the filter, the sort order and the pages work. Usage: node report_browser_test.mjs make_report
// Exit code 77 means skipped: a program is missing.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

for (const program of ["chromedriver", "chromium"]) {
  if (spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0) {
    console.log(`skipped: ${program} is not installed`);
    process.exit(77);
  }
}

const folder = mkdtempSync(join(tmpdir(), "orbwatch-report-"));
let failures = 0;
function check(what, seen, expected) {
  const good = typeof expected === "function" ? expected(seen) : seen === expected;
  if (good) return;
  ++failures;
  console.log(`FAILED ${what}: ${JSON.stringify(seen)}${typeof expected === "function" ? "" : `, expected ${JSON.stringify(expected)}`}`);
}

// Port 0: chromedriver says which one it took.
const driver = spawn("chromedriver", ["--port=0"], { stdio: ["ignore", "pipe", "ignore"] });
const port = await new Promise((resolve, reject) => {
  let text = "";
  const timer = setTimeout(() => reject(new Error("chromedriver did not start: " + text)), 30000);
  driver.stdout.on("data", (bytes) => {
    text += bytes;
    const found = /on port (\d+)/.exec(text.replace(/port 0/, ""));
    if (found) { clearTimeout(timer); resolve(found[1]); }
  });
});
async function call(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = await answer.json();
  if (value?.error) throw new Error(`${path}: ${value.message}`);
  return value;
}

async function withPage(findings, kind, width, use) {
  const made = spawnSync(process.argv[2], ["html", String(findings), kind], { maxBuffer: 1 << 28 });
  if (made.status !== 0) throw new Error("make_report failed");
  const file = join(folder, `${kind}-${findings}.html`);
  writeFileSync(file, made.stdout);
  const session = await call("POST", "/session", { capabilities: { alwaysMatch: { browserName: "chrome",
    "goog:chromeOptions": { args: ["--headless", "--no-sandbox", "--disable-gpu"], mobileEmulation: { deviceMetrics: { width, height: 900, pixelRatio: 1, touch: false } } },
    "goog:loggingPrefs": { browser: "ALL", performance: "ALL" } } } });
  const base = `/session/${session.sessionId}`;
  const run = (script, ...args) => call("POST", `${base}/execute/sync`, { script, args });
  // What the console got since the last time.
  const log = async () => (await call("POST", `${base}/se/log`, { type: "browser" })).map((entry) => entry.message);
  try {
    await call("POST", `${base}/url`, { url: `file://${file}` });
    await use(run, log);
    check(`${kind} ${findings}: console`, await log(), (list) => list.length === 0);
    const requests = (await call("POST", `${base}/se/log`, { type: "performance" })).map((entry) => JSON.parse(entry.message).message)
      .filter((message) => message.method === "Network.requestWillBeSent").map((message) => message.params.request.url)
      .filter((url) => !url.startsWith("data:") && url !== `file://${file}`);
    check(`${kind} ${findings}: requests`, requests, (list) => list.length === 0);
  } finally {
    await call("DELETE", base);
  }
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 300));
const type = (text) => `document.getElementById("filter").value = ${JSON.stringify(text)}; document.getElementById("filter").dispatchEvent(new Event("input"));`;
const cards = "return document.querySelectorAll('article.finding').length";

try {
  await withPage(40, "hostile", 1400, async (run, log) => {
    check("hostile: ready", await run("return document.documentElement.dataset.ready"), "true");
    check("hostile: no script ran", await run("return typeof window.pwned"), "undefined");
    check("hostile: no element of the data", await run("return document.querySelectorAll('img, main script, main iframe, body > :not(a, header, noscript, main, div, script)').length"), 0);
    check("hostile: nothing polluted", await run("return Object.keys(Object.prototype).length"), 0);
    await run("document.querySelectorAll('button.head[aria-expanded=false]').forEach((button) => button.click())");
    check("hostile: shown as text", await run("return document.getElementById('list').textContent.includes('<img src=x onerror=\"window.pwned=1\">')"), true);
    check("hostile: networks as text", await run("return document.getElementById('networks').textContent.includes('<!--<script>')"), true);
    check("hostile: still no script", await run("return typeof window.pwned"), "undefined");
    check("hostile: console", await log(), (list) => list.length === 0);
    check("hostile: injected markup would be refused", await run(`const s = document.createElement("script"); s.textContent = "window.pwned = 1"; document.body.append(s); return typeof window.pwned`), "undefined");
    check("hostile: the refusal is logged", await log(), (list) => list.length === 1 && list[0].includes("Content Security Policy"));
  });
} catch (error) {
  ++failures;
  console.log("FAILED", error.message);
}
try {
  await withPage(40, "plain", 1400, async (run) => {
    check("plain: first page", await run(cards), 25);
    check("plain: pictures", await run("return ['timeline', 'heat', 'map', 'sankey'].map((id) => document.querySelectorAll(`#${id} svg *`).length)"), (counts) => counts.every((n) => n > 10));
    check("plain: accounting", await run("return document.getElementById('accounting').textContent"), (text) => text.includes("139,683 read = 135,534 events + 4,146 ignored + 3 rejected"));
    check("plain: what happened", await run("return [...document.querySelectorAll('article.finding .steps li')].map((step) => step.textContent)"),
      (steps) => steps.length === 3 && steps[0].includes("failed log in") && steps[2].includes("1.2 GB to the client"));
    const network = "document.querySelectorAll('#networks details.network')";
    check("plain: networks", await run(`return [...${network}].map((n) => n.querySelector('summary').textContent)`), (all) => all.length === 2 && all[0].includes("00000000000000aa") && all[0].includes("2 active nodes"));
    check("plain: a network's pictures", await run(`return [...${network}[0].querySelectorAll('figure svg')].map((svg) => svg.querySelectorAll('circle, line, path').length)`),
      (parts) => parts.length === 4 && parts[0] === 3 && parts.every((n) => n > 2));
    check("plain: roles of nodes", await run(`return [...${network}[0].querySelectorAll('tbody tr')].map((row) => row.children[1].textContent)`), (roles) => roles.join() === "exit,on-ramp,exit (gone)");
    check("plain: facts of a network", await run(`return ${network}[0].querySelector('dl').textContent`), (text) => text.includes("40 (30 to 60) by Chao") && text.includes("4.0 (1.0 to 8.0), mostly from Example Cable (80 %)") && text.includes("1 of 00000000000000bb"));
    await run(type("rotterdam LOGIN"));
    await settle();
    check("plain: filter", await run("return [...document.querySelectorAll('article.finding')].map((card) => card.textContent)"), (texts) => texts.length > 0 && texts.length < 25 && texts.every((text) => text.includes("Rotterdam")));
    await run(type("no such thing"));
    await settle();
    check("plain: filter without a match", await run(cards), 0);
    await run(type(""));
    await settle();
    await run("const box = document.getElementById('alerts-only'); box.checked = true; box.dispatchEvent(new Event('change'))");
    check("plain: alerts only", await run(cards), 6);
    await run("const sort = document.getElementById('sort'); sort.value = 'time'; sort.dispatchEvent(new Event('change'))");
    check("plain: newest first", await run("return [...document.querySelectorAll('.when')].map((when) => when.lastChild.textContent)"), (times) => times.length === 6 && times.every((time, i) => i === 0 || time <= times[i - 1]));
    await run("document.getElementById('theme').click()");
    check("plain: theme", await run("return document.documentElement.dataset.theme"), (theme) => theme === "dark" || theme === "light");
    await run("document.dispatchEvent(new KeyboardEvent('keydown', {key: '/', bubbles: true}))");
    check("plain: / goes to the filter", await run("return document.activeElement.id"), "filter");
  });
  await withPage(6000, "plain", 420, async (run) => {
    check("many: one page of cards", await run(cards), 25);
    check("many: what is left out is said", await run("return document.getElementById('count').textContent"), (text) => text.includes("5,000 findings") && text.includes("1,000 of lower score are left out"));
    await run("document.querySelector('#pages button:last-child').click()");
    check("many: second page", await run("return document.getElementById('pages').textContent"), (text) => text.includes("page 2 of 200"));
    check("many: filter is quick (ms)", await run("const start = performance.now(); const kind = document.getElementById('kind'); kind.value = 'spray'; kind.dispatchEvent(new Event('change')); return performance.now() - start"), (time) => time < 1000);
    check("many: no sideways scrolling at 420 pixels", await run("return document.documentElement.scrollWidth"), 420);
  });
  await withPage(0, "plain", 1400, async (run) => {
    check("none: no networks", await run("return document.getElementById('networks')"), null);
    check("none: says so", await run("return document.getElementById('list').textContent"), "Nothing was found.");
  });
} catch (error) {
  ++failures;
  console.log("FAILED", error.message);
} finally {
  driver.kill();
  rmSync(folder, { recursive: true, force: true });
}
console.log(failures === 0 ? "ok" : `${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
