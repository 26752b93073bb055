// @ts-check
/** The people of the sample school, and what they choose for themselves. */
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { request } from "playwright-core";

/**
 * A person as the roster lists them.
 * @typedef {{login_id: string, given_name: string, family_name: string, birthdate: string | null,
 *   organizations: string[], roles: string[]}} Listed
 */

/** Long enough for the strictest profile, and nobody's name. */
export const PASSWORD = "violet otter paints ladders 7!A";
export const NEW_PASSWORD = "quiet comet eats marmalade 9!B";
/** By the order of the bank; nothing many people would say. */
export const ANSWERS = ["Sir Knits of Woolton", "The Frog Parade"];

/** The organizations of the sample. */
export const CONTOSO = { id: "10001", name: "Contoso High School" };
export const FABRIKAM = { id: "10002", name: "Fabrikam High School" };
/** Somebody to write to, once {@link rosterWithContacts} has made them a principal. */
export const PRINCIPAL = { id: "14001", name: "Craig Beane", email: "cbeane@contoso.example" };

/** @param {Listed} person */
export const fullName = (person) => `${person.given_name} ${person.family_name}`;

/**
 * Pupils who can claim, one for each index asked for.
 * @param {Listed[]} people
 * @param {number} count
 */
export function pupils(people, count) {
  const able = people.filter((p) => p.birthdate && p.roles.every((role) => role === "student"));
  if (able.length < count) throw new Error("the sample school is too small");
  return able.slice(0, count);
}

/** @param {Listed[]} people */
export function teacher(people) {
  const found = people.find((p) => p.birthdate && p.roles.includes("teacher"));
  return found ?? people.find((p) => p.roles.includes("teacher"));
}

/**
 * The sample names nobody to write to. This is the sample again, in which one teacher is a principal
 * with an address.
 * @returns {Promise<string>} the folder
 */
export async function rosterWithContacts() {
  const sample = new URL("../../../../examples/rosters/oneroster-v1p2-98-users/", import.meta.url);
  const folder = await mkdtemp(join(tmpdir(), "narthex-roster-"));
  for (const name of ["manifest", "orgs", "users", "roles", "demographics"]) {
    await cp(new URL(`${name}.csv`, sample), join(folder, `${name}.csv`));
  }
  const users = join(folder, "users.csv");
  const rows = (await readFile(users, "utf8")).split("\n").map((row) => {
    const cells = row.split(",");
    if (cells[0] === PRINCIPAL.id) cells[10] = PRINCIPAL.email;
    return cells.join(",");
  });
  await writeFile(users, rows.join("\n"));
  const roles = join(folder, "roles.csv");
  const text = (await readFile(roles, "utf8")).trimEnd();
  const role = ["r-principal", "", "", PRINCIPAL.id, "secondary", "principal", "", "", CONTOSO.id, ""];
  await writeFile(roles, `${text}\n${role.join(",")}\n`);
  return folder;
}

/**
 * A school of so many pupils: the names of the sample, each first name with other last names. It has one
 * organization.
 * @param {number} count
 * @returns {Promise<string>} the folder
 */
export async function largeRoster(count) {
  const folder = await rosterWithContacts();
  /** @param {string} name */
  const rows = async (name) => (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");
  const [users = "", ...people] = await rows("users.csv");
  const [demographics = ""] = await rows("demographics.csv");
  const [roles = "", ...posts] = await rows("roles.csv");
  const names = people.map((row) => row.split(","));
  const tables = {
    "users.csv": [users],
    "demographics.csv": [demographics],
    "roles.csv": [roles],
  };
  const principal = names.find((cells) => cells[0] === PRINCIPAL.id) ?? [];
  tables["users.csv"].push(principal.join(","));
  tables["roles.csv"].push(...posts.filter((row) => row.startsWith("r-principal")));
  for (let n = 0; n < count; n += 1) {
    const cells = [...(names[0] ?? [])];
    const id = String(50_001 + n);
    const [given, family] = [names[n % names.length]?.[6], names[(n * 7 + Math.floor(n / names.length)) % names.length]?.[7]];
    [cells[0], cells[4], cells[6], cells[7], cells[8], cells[9]] = [id, id, given ?? "", family ?? "", "", id];
    tables["users.csv"].push(cells.join(","));
    const day = `2012-${String(1 + (n % 12)).padStart(2, "0")}-${String(1 + (n % 27)).padStart(2, "0")}`;
    tables["demographics.csv"].push([id, "", "", day, ...Array(12).fill("")].join(","));
    tables["roles.csv"].push([`r-${id}`, "", "", id, "primary", "student", "", "", CONTOSO.id, ""].join(","));
  }
  for (const [name, table] of Object.entries(tables)) {
    await writeFile(join(folder, name), `${table.join("\n")}\n`);
  }
  return folder;
}

/** The folder of this package, for messages. */
export const HERE = fileURLToPath(new URL("..", import.meta.url));

/**
 * Claims an account as a program does: for tests that are about what comes afterwards.
 * @param {string} url of the portal
 * @param {Listed} person
 * @param {string} [password]
 * @param {Record<string, string>} [headers] of every request
 */
export async function claimQuickly(url, person, password = PASSWORD, headers = {}) {
  const origin = new URL(url).origin;
  const program = await request.newContext({ extraHTTPHeaders: { origin, ...headers } });
  try {
    /** @param {string} path @param {object} data */
    const post = async (path, data) => {
      const answer = await program.post(`${url}api/v1/${path}`, { data });
      if (!answer.ok()) throw new Error(`${path}: ${answer.status()} ${await answer.text()}`);
    };
    const { given_name, family_name, birthdate, login_id } = person;
    await post("claim", { given_name, family_name, birthdate, login_id });
    await post("claim/password", { password });
    const answers = [
      { question: "first_toy", answer: ANSWERS[0] },
      { question: "first_song", answer: ANSWERS[1] },
    ];
    await post("claim/questions", { answers });
  } finally {
    await program.dispose();
  }
}
