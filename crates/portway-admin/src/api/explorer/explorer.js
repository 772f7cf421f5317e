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

/** A value that fits a schema well enough to begin with. */
function example(schema, all, depth = 0) {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return example(all[schema.$ref.split("/").pop()], all, depth + 1);
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  if (schema.const !== undefined) return schema.const;
  const form = (schema.anyOf ?? schema.oneOf ?? [])[0];
  if (form) return example(form, all, depth + 1);
  if (schema.properties) {
    const needed = schema.required ?? [];
    return Object.fromEntries(needed.map((key) => [key, example(schema.properties[key], all, depth + 1)]));
  }
  const plain = { array: [], boolean: false, integer: 0, number: 0, object: {}, string: "" };
  return plain[[schema.type].flat()[0]] ?? {};
}

/** The form of one operation. */
function form(method, path, operation, all) {
  const fields = (operation.parameters ?? []).map((parameter) => ({
    parameter,
    input: element("input", {
      name: parameter.name,
      required: parameter.required ? "" : undefined,
      placeholder: parameter.schema?.type,
      title: parameter.description,
    }),
  }));
  const content = operation.requestBody?.content ?? {};
  const media = Object.keys(content)[0];
  const body = media && element("textarea", { spellcheck: "false", "aria-label": "body" });
  if (body) body.value = JSON.stringify(example(content[media].schema, all), null, 2);
  const shown = element("pre", { "aria-live": "polite" });
  const send = async (event) => {
    event.preventDefault();
    let url = path;
    const query = new URLSearchParams();
    for (const { parameter, input } of fields) {
      if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(parameter.name, input.value);
    }
    if ([...query].length) url += `?${query}`;
    const headers = {};
    const token = byId("token").value.trim();
    if (token) headers.authorization = `Bearer ${token}`;
    if (body) headers["content-type"] = media;
    shown.textContent = `${method.toUpperCase()} ${url} …`;
    const began = performance.now();
    try {
      const answer = await fetch(url, { method: method.toUpperCase(), headers, body: body?.value });
      const text = await answer.text();
      const took = Math.round(performance.now() - began);
      const json = answer.headers.get("content-type")?.includes("json");
      const pretty = json && text ? JSON.stringify(JSON.parse(text), null, 2) : text;
      shown.textContent = `${answer.status} ${answer.statusText} · ${took} ms\n\n${pretty}`;
    } catch (error) {
      shown.textContent = String(error);
    }
  };
  const labels = fields.map(({ parameter, input }) =>
    element("label", {}, `${parameter.name}${parameter.required ? " *" : ""}`, input));
  return element("form", { onsubmit: send },
    element("div", { class: "fields" }, ...labels),
    ...(body ? [element("label", {}, media, body)] : []),
    element("div", {}, element("button", {}, "Send")),
    shown);
}

/** One operation, closed until somebody opens it. */
function details(method, path, operation, all) {
  const made = element("details", { "data-text": `${method} ${path} ${operation.summary} ${operation.tags}`.toLowerCase() },
    element("summary", {},
      element("b", { class: method }, method.toUpperCase()),
      element("code", {}, path), ` ${operation.summary}`));
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(form(method, path, operation, all));
  });
  return made;
}

async function main() {
  const api = await (await fetch("/openapi.json")).json();
  byId("version").textContent = api.info.version;
  const groups = new Map();
  for (const [path, operations] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const tag = operation.tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(details(method, path, operation, api.components.schemas));
    }
  }
  const sections = [...groups].map(([tag, list]) => element("section", {}, element("h2", {}, tag), ...list));
  byId("operations").replaceChildren(...sections);
  const token = byId("token");
  token.value = sessionStorage.getItem("token") ?? "";
  token.addEventListener("input", () => sessionStorage.setItem("token", token.value));
  byId("find").addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    for (const section of sections) {
      const found = [...section.querySelectorAll("details")].filter((one) => {
        one.hidden = !one.dataset.text.includes(wanted);
        return !one.hidden;
      });
      section.hidden = found.length === 0;
    }
  });
}

main().catch((error) => byId("operations").replaceChildren(element("p", {}, String(error))));
