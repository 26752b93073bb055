// @ts-check
import assert from "node:assert/strict";

import { rule } from "../lib/house.mjs";
import {
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  header,
  landingPage,
  logInPage,
  place,
  textOf,
} from "../lib/pages.mjs";
import { PASSWORD, PRINCIPAL, fullName } from "../lib/people.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** Fields that a person sees and fills in. @param {Page} page */
async function visibleFields(page) {
  const fields = page.getByRole("main").locator("input:not([type=hidden]):not([readonly]), select");
  return fields.evaluateAll((list) =>
    list
      .filter((field) => field.checkVisibility())
      .map((field) => /** @type {any} */ (field).labels?.[0]?.textContent?.trim()),
  );
}

/** The element that has the focus. @param {Page} page */
function focused(page) {
  return page.evaluate(() => {
    const element = /** @type {any} */ (document.activeElement);
    return element.labels?.[0]?.textContent?.trim() ?? element.textContent?.trim() ?? "";
  });
}

/** Moves on with Tab until this has the focus. @param {Page} page @param {string} name */
async function tabTo(page, name) {
  for (let presses = 0; presses < 40; presses += 1) {
    if ((await focused(page)).startsWith(name)) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`the Tab key never comes to ${name}`);
}

rule("S1 an anonymous visit leads to the login page, which has Claim My Account", async (house) => {
  const family = await house.family();
  const tab = await family.tab("");
  assert.equal(place(tab, house.url), "login");
  await logInPage(tab).heading.waitFor();
  await logInPage(tab).claim.click();
  await claimPage(tab).heading.waitFor();
  assert.equal(place(tab, house.url), "claim");
});

rule("S2 a claim asks for first name, last name, birthdate and student number only", async (house) => {
  const tab = await (await house.family()).tab("claim");
  assert.deepEqual(await visibleFields(tab), [
    "First Name",
    "Last Name",
    "Month",
    "Day",
    "Year",
    "Student Number",
  ]);
  await tab.getByRole("group", { name: "Birthdate" }).waitFor();
});

rule("S2 a claim, and all up to the landing page, can be done with the keyboard alone", async (house) => {
  const person = await house.pupil();
  const [year = "", month = "", day = ""] = (person.birthdate ?? "").split("-");
  const tab = await (await house.family()).tab("login");
  /** @param {string} field @param {string} text */
  const type = async (field, text) => {
    await tabTo(tab, field);
    await tab.keyboard.type(text);
  };
  await tabTo(tab, "Claim My Account");
  await tab.keyboard.press("Enter");
  await claimPage(tab).heading.waitFor();
  await type("First Name", person.given_name);
  await type("Last Name", person.family_name);
  await type("Month", month);
  await type("Day", day);
  await type("Year", year);
  await type("Student Number", person.login_id);
  await tab.keyboard.press("Enter");
  await claimPasswordPage(tab).heading.waitFor();
  await type("New password", PASSWORD);
  await tabTo(tab, "Save and continue");
  await tab.keyboard.press("Space");
  await claimQuestionsPage(tab).heading.waitFor();
  for (const [number, answer] of [["1", "Sir Knits of Woolton"], ["2", "The Frog Parade"]]) {
    await tabTo(tab, `Question ${number}`);
    for (let downs = 0; downs < Number(number); downs += 1) await tab.keyboard.press("ArrowDown");
    await type("Your answer", String(answer));
    await tab.keyboard.press("Tab");
  }
  await tabTo(tab, "Finish");
  await tab.keyboard.press("Enter");
  await logInPage(tab).heading.waitFor();
  await type("Password", PASSWORD);
  await tab.keyboard.press("Enter");
  await landingPage(tab).greeting.waitFor();
});

rule("S3 the humans to write to stand on the claim page", async (house) => {
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).unknown.click();
  const link = tab.getByRole("link", { name: PRINCIPAL.email });
  await link.waitFor();
  assert.equal(await link.getAttribute("href"), `mailto:${PRINCIPAL.email}`);
  assert.ok((await textOf(tab.getByRole("main"))).includes(PRINCIPAL.name));
});

rule("S4 S5 S6 password, questions, then log-in with the number filled in", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  assert.ok((await textOf(tab.getByRole("main"))).includes(fullName(person)), "whose claim it is");
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
  assert.equal(await claimQuestionsPage(tab).questions.count(), 2);
  assert.ok((await textOf(tab.getByRole("main"))).includes(fullName(person)), "whose claim it is");
  await claimQuestionsPage(tab).send();
  await logInPage(tab).heading.waitFor();
  assert.equal(await logInPage(tab).number.inputValue(), person.login_id);
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
  assert.equal(place(tab, house.url), `o/${person.organizations[0]}/`);
  await header(tab, fullName(person)).toggle.waitFor();
});

rule("S18 from the login link to the landing page: at most 4 pages and 14 fields", async (house) => {
  const person = await house.pupil();
  const family = await house.family({ viewport: { width: 375, height: 667 }, hasTouch: true });
  const tab = await family.tab("login");
  /** @type {string[]} */
  const fields = [];
  let pages = 0;
  const count = async () => {
    pages += 1;
    fields.push(...(await visibleFields(tab)).map(String));
  };
  await logInPage(tab).claim.click();
  await claimPage(tab).heading.waitFor();
  await count();
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  await count();
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
  await count();
  await claimQuestionsPage(tab).send();
  await logInPage(tab).heading.waitFor();
  await count();
  await logInPage(tab).password.fill(PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
  house.tell(`${pages} pages, ${fields.length} fields`);
  assert.ok(pages <= 4, `${pages} pages`);
  assert.ok(fields.length <= 14, `${fields.length} fields: ${fields.join(", ")}`);
});

rule(
  "a refused claim keeps what was typed, says where, and moves the focus there",
  async (house) => {
    const person = await house.pupil();
    const tab = await (await house.family()).tab("claim");
    await claimPage(tab).fill({ ...person, birthdate: "2001-13-41" });
    await claimPage(tab).button.click();
    await claimPage(tab).alert.waitFor();
    assert.equal(await claimPage(tab).given.inputValue(), person.given_name);
    assert.equal(await claimPage(tab).number.inputValue(), person.login_id);
    assert.equal(await claimPage(tab).month.getAttribute("aria-invalid"), "true");
    assert.match(await tab.title(), /^Error: /);
    const alertHasFocus = await claimPage(tab).alert.evaluate((a) => a === document.activeElement);
    assert.ok(alertHasFocus, "the summary has the focus");
    await claimPage(tab).fill({ ...person, family_name: "Nobody" });
    await claimPage(tab).button.click();
    await claimPage(tab).alert.getByText("does not fit together").waitFor();
    assert.equal(await claimPage(tab).given.inputValue(), person.given_name);
    await claimPage(tab).send(person);
    await claimPasswordPage(tab).heading.waitFor();
  },
  { refusals: [403, 422] },
);

rule("reload and back during a claim lose nothing and finish nothing twice", async (house) => {
  const person = await house.pupil();
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).heading.waitFor();
  await tab.reload();
  await claimPasswordPage(tab).heading.waitFor();
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
  await tab.reload();
  await claimQuestionsPage(tab).heading.waitFor();
  await tab.goBack();
  await claimPasswordPage(tab).heading.waitFor();
  await claimPasswordPage(tab).send();
  await claimQuestionsPage(tab).heading.waitFor();
  await claimQuestionsPage(tab).send();
  await logInPage(tab).heading.waitFor();
  // Back into the finished claim: nothing of it can be done again.
  await tab.goBack();
  await tab.waitForLoadState();
  if (await claimQuestionsPage(tab).heading.isVisible()) {
    await claimQuestionsPage(tab).send();
  }
  await tab.waitForURL(/\/(login|claim)(\?|$)/);
  await tab.goto(`${house.url}login`);
  await logInPage(tab).logIn(person.login_id);
  await landingPage(tab).greeting.waitFor();
});

rule("two siblings claim in two tabs of one computer, and nothing mixes", async (house) => {
  const [older, younger] = [await house.pupil(0), await house.pupil(1)];
  const family = await house.family();
  const [one, two] = [await family.tab("claim"), await family.tab("claim")];
  await claimPage(one).send(older);
  await claimPasswordPage(one).heading.waitFor();
  await claimPage(two).send(younger);
  await claimPasswordPage(two).heading.waitFor();
  await claimPasswordPage(one).send("older sister likes green boats 1!A");
  await claimQuestionsPage(one).heading.waitFor();
  assert.ok((await textOf(one.getByRole("main"))).includes(fullName(older)));
  await claimPasswordPage(two).send("little brother keeps nine snails 2!B");
  await claimQuestionsPage(two).heading.waitFor();
  assert.ok((await textOf(two.getByRole("main"))).includes(fullName(younger)));
  await claimQuestionsPage(two).send(["Blue Submarine", "Nine Small Snails"]);
  await logInPage(two).heading.waitFor();
  await claimQuestionsPage(one).send(["Boat on the Shelf", "Old Green River"]);
  await logInPage(one).heading.waitFor();
  assert.equal(await logInPage(one).number.inputValue(), older.login_id);
  for (const [person, word] of /** @type {const} */ ([
    [older, "older sister likes green boats 1!A"],
    [younger, "little brother keeps nine snails 2!B"],
  ])) {
    const own = await (await house.family()).tab("login");
    await logInPage(own).logIn(person.login_id, word);
    await header(own, fullName(person)).toggle.waitFor();
  }
});

rule("Not you? ends that claim only and leads back to the first page", async (house) => {
  const [wrong, right] = [await house.pupil(0), await house.pupil(1)];
  const tab = await (await house.family()).tab("claim");
  await claimPage(tab).send(wrong);
  await claimPasswordPage(tab).notYou.click();
  await claimPage(tab).heading.waitFor();
  assert.equal(await claimPage(tab).given.inputValue(), "");
  await claimPage(tab).send(right);
  await claimPasswordPage(tab).heading.waitFor();
  assert.ok((await textOf(tab.getByRole("main"))).includes(fullName(right)));
});
