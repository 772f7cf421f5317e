// Shows what the API can do, made of its own OpenAPI document, and lets people try it.
"use strict";

const byId = (id) => document.getElementById(id);

/** An element with attributes and children. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** The document, and what its references lead to. */
let api;
const found = (one) => {
  while (one?.$ref) one = one.$ref.slice(2).split("/").reduce((at, key) => at[key], api);
  return one ?? {};
};

/** A value that fits a schema well enough to begin with. */
function example(schema, depth = 0) {
  schema = found(schema);
  if (depth > 6) return null;
  if (schema.default !== undefined) return schema.default;
  if (schema.examples?.length) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const form = (schema.anyOf ?? schema.oneOf ?? [])[0];
  if (form) return example(form, depth + 1);
  if (schema.properties) {
    const needed = schema.required ?? [];
    return Object.fromEntries(needed.map((key) => [key, example(schema.properties[key], depth + 1)]));
  }
  const plain = { array: [], boolean: false, integer: 0, number: 0, object: {}, string: "" };
  return plain[[schema.type].flat()[0]] ?? {};
}

/** Where a parameter is typed. */
function field(parameter) {
  const schema = found(parameter.schema);
  const name = { name: parameter.name, "data-in": parameter.in };
  const isSwitch = schema.type === "boolean" || schema.anyOf?.some((one) => one.type === "boolean");
  if (isSwitch) return element("select", name, ...["", "true", "false"].map((one) => element("option", {}, one)));
  return element("input", {
    ...name,
    required: parameter.required ? "" : undefined,
    placeholder: [schema.const ?? schema.type].flat()[0],
    spellcheck: "false",
    autocapitalize: "off",
  });
}

/** What was typed, as a request. */
function request(method, path, inputs, body, media) {
  const [query, headers] = [new URLSearchParams(), {}];
  for (const input of inputs) {
    const [name, value] = [input.name, input.value];
    if (input.dataset.in === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
    else if (value && input.dataset.in === "query") query.append(name, value);
    else if (value) headers[name] = value;
  }
  if ([...query].length) path += `?${query}`;
  const token = byId("token").value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  if (body) headers["content-type"] = media;
  return [path, { method: method.toUpperCase(), headers, body: body?.value }];
}

/** The same as something to type into a shell; the token stays out of it. */
function curl(url, { method, headers, body }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const words = [`curl -X ${method} ${quoted(location.origin + url)}`];
  for (const [name, value] of Object.entries(headers)) {
    const isToken = name === "authorization";
    words.push(isToken ? '-H "authorization: Bearer $PORTWAY_TOKEN"' : `-H ${quoted(`${name}: ${value}`)}`);
  }
  if (body) words.push(`--data-binary ${quoted(body)}`);
  return words.join(" \\\n  ");
}

const pretty = (text, kind) => {
  if (!kind?.includes("json") || !text) return text;
  return JSON.stringify(JSON.parse(text), null, 2);
};

/** Reads a body and shows it as it comes: an answer may have no end. */
async function read(answer, shown) {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let piece = await reader?.read(); piece && !piece.done; piece = await reader.read()) {
    text += piece.value;
    shown.textContent = text;
  }
  return text;
}

/** The form of one operation. */
function form(method, path, operation) {
  const parameters = (operation.parameters ?? []).map(found);
  const inputs = parameters.map(field);
  const labels = parameters.map((parameter, at) => element("label", {},
    element("b", {}, parameter.name), parameter.required ? " *" : "", inputs[at],
    ...(parameter.description ? [element("i", {}, parameter.description)] : [])));
  const content = operation.requestBody?.content ?? {};
  const kinds = Object.keys(content);
  const media = kinds.length > 0 && element("select", { "aria-label": "media type" },
    ...kinds.map((one) => element("option", {}, one)));
  const body = media && element("textarea", { spellcheck: "false", "aria-label": "body" });
  if (body) body.value = JSON.stringify(example(content[kinds[0]].schema), null, 2);

  const line = element("p");
  const shown = element("pre", { tabindex: "0" });
  const answered = element("div", { class: "answer", role: "status", hidden: "" }, line, shown);
  const tell = (how, title, rest, text) => {
    line.replaceChildren(element("b", { class: how }, title), rest);
    shown.textContent = text;
    answered.hidden = false;
  };
  let running;
  const stop = element("button", { type: "button", class: "plain", hidden: "", onclick: () => running?.abort() }, "Stop");
  const copy = element("button", { type: "button", class: "plain", onclick: () => {
    tell("", "curl", "", curl(...request(method, path, inputs, body, media.value)));
  } }, "As curl");
  const send = async (event) => {
    event.preventDefault();
    running?.abort();
    const [url, options] = request(method, path, inputs, body, media.value);
    running = new AbortController();
    stop.hidden = false;
    tell("", `${options.method} ${url}`, " …", "");
    const began = performance.now();
    try {
      const answer = await fetch(url, { ...options, signal: running.signal });
      const took = Math.round(performance.now() - began);
      const tag = answer.headers.get("etag");
      const how = answer.ok ? "good" : "bad";
      tell(how, `${answer.status} ${answer.statusText}`, ` · ${took} ms${tag ? ` · ETag ${tag}` : ""}`, "");
      shown.textContent = pretty(await read(answer, shown), answer.headers.get("content-type"));
    } catch (error) {
      if (error.name === "AbortError") line.append(" · stopped");
      else tell("bad", "No answer", "", String(error));
    }
    stop.hidden = true;
  };

  const statuses = Object.entries(operation.responses).map(([status, response]) =>
    element("tr", {}, element("td", {}, status), element("td", {}, found(response).description ?? "")));
  return element("form", { onsubmit: send, autocomplete: "off" },
    ...(labels.length ? [element("div", { class: "fields" }, ...labels)] : []),
    ...(body ? [element("label", {}, "Body ", media, body)] : []),
    element("div", { class: "row" }, element("button", {}, "Send"), copy, stop),
    answered,
    element("details", { class: "more" },
      element("summary", {}, element("small", {}, "What it may answer")),
      element("table", {}, element("tbody", {}, ...statuses))));
}

/** One operation, closed until somebody opens it. */
function details(method, path, operation) {
  const text = `${method} ${path} ${operation.summary} ${operation.tags} ${operation.operationId}`;
  const made = element("details", { id: operation.operationId, "data-text": text.toLowerCase() },
    element("summary", {},
      element("b", { class: method }, method.toUpperCase()),
      element("code", {}, path),
      element("span", {}, operation.summary)));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(form(method, path, operation));
  });
  return made;
}

/** Says whether a token is good, without keeping it anywhere but in this tab. */
async function check() {
  const [token, known] = [byId("token").value.trim(), byId("known")];
  sessionStorage.setItem("token", token);
  [known.className, known.textContent] = ["", ""];
  if (!token) return;
  const answer = await fetch("/api/v1/status", { headers: { authorization: `Bearer ${token}` } });
  if (byId("token").value.trim() !== token) return;
  const isGood = answer.ok || answer.status === 403;
  [known.className, known.textContent] = isGood ? ["good", "✓ known"] : ["bad", `✗ ${answer.status}`];
}

/** Leaves only what has these words in it. */
function find(sections, words) {
  for (const { section, link } of sections) {
    for (const one of section.querySelectorAll("details[data-text]")) {
      one.hidden = !words.every((word) => one.dataset.text.includes(word));
    }
    section.hidden = link.hidden = !section.querySelector("details[data-text]:not([hidden])");
  }
}

async function main() {
  api = await (await fetch("/openapi.json")).json();
  byId("version").textContent = api.info.version;
  const groups = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(details(method, path, operation));
    }
  }
  const sections = [...groups].map(([tag, list]) => ({
    section: element("section", { id: `group-${tag}` }, element("h2", {}, tag), ...list),
    link: element("a", { href: `#group-${tag}` }, tag),
  }));
  byId("operations").replaceChildren(...sections.map(({ section }) => section));
  byId("groups").replaceChildren(...sections.map(({ link }) => link));

  byId("token").value = sessionStorage.getItem("token") ?? "";
  byId("token").addEventListener("change", () => check().catch(() => {}));
  byId("who").addEventListener("submit", (event) => {
    event.preventDefault();
    byId("token").blur();
  });
  byId("find").addEventListener("input", (event) => {
    find(sections, event.target.value.toLowerCase().split(/\s+/).filter(Boolean));
  });
  await check();
  // A link to an operation opens it.
  const asked = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
  if (asked) {
    asked.open = true;
    asked.scrollIntoView();
  }
}

main().catch((error) => byId("operations").replaceChildren(element("p", {}, String(error))));
