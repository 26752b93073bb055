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

/** The folder of this package, for messages. */
export const HERE = fileURLToPath(new URL("..", import.meta.url));

/**
 * Claims an account as a program does: for tests that are about what comes afterwards.
 * @param {string} url of the portal
 * @param {Listed} person
 * @param {string} [password]
 */
export async function claimQuickly(url, person, password = PASSWORD) {
  const origin = new URL(url).origin;
  const program = await request.newContext({ extraHTTPHeaders: { origin } });
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
