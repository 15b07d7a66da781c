// Buttons send the command written on them; everything shown comes back as an event of the simulator itself.

const find = (selector) => document.querySelector(selector);
const WORDS = {
  enabled: "收钞中 taking notes", disabled: "停收 shut", escrowed: "暂存 held", stacking: "入箱中 stacking", credited: "已记账 counted", stacked: "已入箱 in the box",
  returned: "已退回 given back", started: "已启动 started", fraud: "钓回 pulled back", rejected: "未识别 refused", jammed: "卡钞 jammed", cashbox: "钞箱 box", printed: "已出纸 printed",
  taken: "已取走 taken", spoilt: "被弄坏 spoilt", unplugged: "断 unplugged", plugged: "通 plugged in", connected: "通 connected", cut: "断开 cut", status: "状态 status", step: "步骤 step", done: "完成 done",
};

async function post(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const value = await answer.json();
  const problem = find("#problem");
  problem.hidden = !value.error;
  problem.textContent = value.error || "";
  return value;
}

function wire(button, path, body) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    try { await post(path, body); } finally { button.disabled = false; }
    askLedger();
  });
}

async function askLedger() {
  if (find("#bill-acceptor").hidden) return;
  const value = await post("/do/bill-acceptor", { do: "ledger" });
  const stacker = (value.ledger || value).stacker;
  if (!stacker) return;
  const rows = Object.entries(stacker).map(([face, count]) => [Number(face), count]).filter(([, count]) => count).sort((a, b) => b[0] - a[0]);
  const total = rows.reduce((sum, [face, count]) => sum + face * count, 0);
  const body = find("#ledger tbody");
  body.replaceChildren(...rows.map(([face, count]) => line(`¥${face / 100}`, `× ${count}`)), line("合计 total", `¥${(total / 100).toFixed(2)}`));
}

function line(...cells) {
  const row = document.createElement("tr");
  row.append(...cells.map((text) => Object.assign(document.createElement("td"), { textContent: text })));
  return row;
}

// What a person sees first when walking up to the printer.
function printerState(status) {
  if (status.power === "off") return "断电 off";
  if (status.cover === "open") return "开盖 cover open";
  if (status.cutter !== "ok") return "切刀卡住 cutter stuck";
  return { out: "缺纸 out of paper", near_end: "纸将尽 paper low" }[status.paper] || "就绪 ready";
}

async function askPrinter() {
  if (find("#receipt-printer").hidden) return;
  const status = await post("/do/receipt-printer", { do: "status" });
  if (status.paper) find("#receipt-printer output.state").textContent = printerState(status);
}

function show(entry) {
  const { device, event, ...rest } = entry;
  const section = document.getElementById(device);
  const isCableTraffic = device === "network" && ["connected", "cut"].includes(event);
  if (section && !isCableTraffic) {
    const state = section.querySelector("output.state");
    const isBecauseOfJam = event === "disabled" && state.textContent === WORDS.jammed;  // what a person must see is the jam
    if (!isBecauseOfJam) state.textContent = event === "status" ? printerState(rest) : WORDS[event] || event;
  }
  if (event === "printed" && rest.png) {
    const figure = find("#slip");
    figure.querySelector("img").src = `/slips/${rest.png.split("/").pop()}`;
    figure.hidden = false;
  }
  if (["stacked", "returned", "cashbox"].includes(event)) askLedger();
  if (event === "apdu" || event === "ledger") return;
  const item = document.createElement("li");
  item.textContent = [`${device} · ${WORDS[event] || event}`, ...Object.entries(rest).map(told)].join(" · ");
  const log = find("#log");
  log.prepend(item);
  while (log.children.length > 500) log.lastChild.remove();
}

function told([name, value]) {
  if (name === "face_fen") return `¥${value / 100}`;
  return `${name} ${typeof value === "object" ? JSON.stringify(value) : value}`;
}

async function showScreen(address) {
  const { default: RFB } = await import("/novnc/core/rfb.js");
  const connect = () => {
    const screen = new RFB(find("#glass"), address);
    screen.scaleViewport = true;
    screen.showDotCursor = true;
    screen.addEventListener("connect", () => { find("#screen").dataset.connected = "yes"; });
    screen.addEventListener("disconnect", () => {
      delete find("#screen").dataset.connected;
      setTimeout(connect, 1000);  // the virtual screen is restarting
    });
  };
  connect();
}

async function start() {
  const what = await (await fetch("/what")).json();
  for (const device of what.devices) {
    const section = document.getElementById(device);
    if (section) section.hidden = false;
  }
  for (const button of document.querySelectorAll("[data-do]")) {
    wire(button, `/do/${button.closest("section").id}`, JSON.parse(button.dataset.do));
  }
  find("#glass").hidden = !what.links.screen;
  find("#window").hidden = Boolean(what.links.screen);
  if (what.links.screen) showScreen(what.links.screen);
  if (what.links.aspect) find("#screen").style.setProperty("--glass", what.links.aspect);
  find("#office").hidden = !what.links.office;
  find("#office").href = what.links.office || "";
  find("#scenarios").hidden = !what.scenarios.length;
  for (const { name, title } of what.scenarios) {
    const button = Object.assign(document.createElement("button"), { textContent: title });
    find("#scenarios .row").append(button);
    wire(button, `/play/${name}`, {});
  }
  new EventSource("/events").onmessage = (message) => show(JSON.parse(message.data));
  askLedger();
  askPrinter();
}

start();
