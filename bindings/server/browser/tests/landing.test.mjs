// @ts-check
import assert from "node:assert/strict";

import { rule } from "../lib/house.mjs";
import { header, landingPage, place, textOf } from "../lib/pages.mjs";
import { CONTOSO, FABRIKAM, claimQuickly, fullName } from "../lib/people.mjs";

const APPLICATIONS = [
  "Cloud Studio",
  "API Manager",
  "App Builder",
  "Marketplace",
  "Management Console",
  "Citizen Integrator",
];

rule("S16 the landing page has applications, downloads, statistics and links", async (house) => {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${CONTOSO.id} administrator`);
  await claimQuickly(house.url, person);
  const { tab } = await house.loggedIn(person);
  const page = landingPage(tab);
  for (const name of APPLICATIONS) await page.applications.getByRole("link", { name }).waitFor();
  for (const name of ["Private Agents", "Design Studio", "Data Loader"]) {
    await page.downloads.getByRole("link", { name }).waitFor();
  }
  const table = page.statistics.getByRole("table");
  const students = table.getByRole("row", { name: /^Students/ }).getByRole("cell");
  assert.match(await textOf(students.first()), /^\d{2,}$/);
  assert.match(await textOf(students.last()), /^fewer than 10$/, "small groups are not told");
  for (const name of ["Support", "Learning", "Training", "Documentation"]) {
    await page.links.getByRole("link", { name, exact: false }).first().waitFor();
  }
});

rule("S16 a pupil sees the applications of pupils, and each leads to its screen", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  const { applications } = landingPage(tab);
  const links = applications.getByRole("link");
  const count = await links.count();
  assert.ok(count >= 3);
  assert.equal(await applications.getByRole("link", { name: "Management Console" }).count(), 0);
  for (let index = 0; index < count; index += 1) {
    const name = (await links.nth(index).locator(".name").innerText()).trim();
    await links.nth(index).click();
    await tab.getByRole("heading", { name, level: 1 }).waitFor();
    assert.ok(place(tab, house.url).startsWith(`o/${CONTOSO.id}/apps/`));
    await tab.goBack();
  }
  const downloads = landingPage(tab).downloads.getByRole("link", { name: "Data Loader" });
  await downloads.click();
  await tab.getByRole("heading", { name: "Downloads", level: 1 }).waitFor();
  await tab.getByRole("heading", { name: "Data Loader" }).waitFor();
});

rule("S15 switching the organization changes where one is, in this tab alone", async (house) => {
  const person = await house.pupil();
  await house.server.command(`membership add ${person.login_id} ${FABRIKAM.id} student`);
  await claimQuickly(house.url, person);
  const { family, tab } = await house.loggedIn(person);
  const other = await family.tab(`o/${CONTOSO.id}/downloads`);
  const { banner } = header(tab, fullName(person));
  await banner.getByText(CONTOSO.name).first().click();
  await banner.getByRole("link", { name: FABRIKAM.name }).click();
  await tab.waitForURL(`${house.url}o/${FABRIKAM.id}/`);
  await landingPage(tab).statistics.waitFor();
  assert.ok((await textOf(landingPage(tab).statistics)).startsWith(FABRIKAM.name));
  await other.reload();
  assert.equal(place(other, house.url), `o/${CONTOSO.id}/downloads`);
});

rule("P8 an organization one does not belong to looks like one that is not there", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  const seen = [];
  for (const id of [FABRIKAM.id, "99999"]) {
    const answer = await tab.goto(`${house.url}o/${id}/`);
    const text = await textOf(tab.getByRole("main"));
    seen.push({ status: answer?.status(), text: text.replace(/Request \S+/, "") });
  }
  assert.deepEqual(seen[0], seen[1]);
  assert.notEqual(seen[0]?.status, 200);
}, { refusals: [403, 404] });
