// @ts-check
/** Lists of people as a school exports them, made of the sample. */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";

import { rosterWithContacts } from "./people.mjs";

/** @typedef {import("./people.mjs").Listed} Listed */

/**
 * The sample, with what was changed in it.
 * @param {Listed} clerk stays in the office
 * @param {string} organization where
 * @param {{joins?: string, without?: string[]}} [change] a new pupil's number; numbers that are missing
 * @returns {Promise<{name: string, mimeType: string, buffer: Buffer}>} for a file field
 */
export async function exported(clerk, organization, { joins, without = [] } = {}) {
  const folder = await rosterWithContacts();
  /** @type {Map<string, string>} */
  const files = new Map();
  for (const name of await readdir(folder)) {
    files.set(name, (await readFile(join(folder, name), "utf8")).trimEnd());
  }
  const rows = (/** @type {string} */ name) => (files.get(name) ?? "").split("\n");
  const users = rows("users.csv");
  const number = (/** @type {string} */ row) => row.split(",")[9] ?? "";
  const own = users.find((row) => number(row) === clerk.login_id)?.split(",")[0] ?? "";
  const gone = new Set(users.filter((row) => without.includes(number(row))).map((row) => row.split(",")[0]));
  const roles = rows("roles.csv").filter((row) => !gone.has(row.split(",")[3]));
  const role = (/** @type {string[]} */ ...[id, user, what]) =>
    [id, "", "", user, "secondary", what, "", "", organization, ""].join(",");
  roles.push(role("r-clerk", own, "principal"));
  const kept = users.filter((row) => !without.includes(number(row)));
  if (joins) {
    const cells = (users[1] ?? "").split(",");
    [cells[0], cells[4], cells[6], cells[7], cells[9]] = [`u-${joins}`, joins, "Newly", "Arrived", joins];
    kept.push(cells.join(","));
    roles.push(role(`r-${joins}`, `u-${joins}`, "student").replace("secondary", "primary"));
  }
  files.set("users.csv", kept.join("\n"));
  files.set("roles.csv", roles.join("\n"));
  const demographics = rows("demographics.csv").filter((row) => !gone.has(row.split(",")[0]));
  files.set("demographics.csv", demographics.join("\n"));
  return { name: "export.zip", mimeType: "application/zip", buffer: zip(files) };
}

/** A file that is no list. */
export const NO_LIST = { name: "menu.csv", mimeType: "text/csv", buffer: Buffer.from("Monday,Soup\n") };
/** A zip that was cut off on its way. */
export const NO_ZIP = { name: "export.zip", mimeType: "application/zip", buffer: Buffer.from("PK\x03\x04") };

/** A zip without compression (APPNOTE 4.3). @param {Map<string, string>} files */
function zip(files) {
  /** @type {Buffer[]} */
  const parts = [];
  /** @type {Buffer[]} */
  const directory = [];
  let offset = 0;
  for (const [file, text] of files) {
    const [name, bytes] = [Buffer.from(file), Buffer.from(`${text}\n`)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(bytes), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(bytes.length, 18);
    common.writeUInt16LE(name.length, 22);
    const head = Buffer.concat([Buffer.from("PK\x03\x04"), common, name]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), common, place, name]));
    parts.push(head, bytes);
    offset += head.length + bytes.length;
  }
  const entries = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.size, 4);
  end.writeUInt16LE(files.size, 6);
  end.writeUInt32LE(entries.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, entries, Buffer.from("PK\x05\x06"), end]);
}
