// @ts-check
/** The staff desk: who is let in, what they see and do, and what a page does only once. */
import assert from "node:assert/strict";

import { A_SECOND, eventually } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import { NO_LIST, NO_ZIP, exported } from "../lib/lists.mjs";
import {
  claimPage,
  claimPasswordPage,
  header,
  landingPage,
  logInPage,
  recoverPage,
  recoverQuestionsPage,
  rosterPage,
  staffPage,
  textOf,
} from "../lib/pages.mjs";
import { CONTOSO, FABRIKAM, PASSWORD, fullName } from "../lib/people.mjs";

/** @typedef {import("../lib/house.mjs").House} House */
/** @typedef {import("playwright-core").Page} Page */

const MINUTE = 60_000;
const PLAIN = { javaScriptEnabled: false };
const WAYS = /** @type {const} */ ([["", {}], [" without a script", PLAIN]]);

/** Somebody of the office at the desk. @param {House} house @param {object} [options] @param {string} [at] */
async function atTheDesk(house, options = {}, at = CONTOSO.id) {
  const clerk = await house.clerk(at);
  const { family, tab } = await house.loggedIn(clerk, options);
  await header(tab, fullName(clerk)).open();
  await tab.getByRole("banner").getByRole("link", { name: "Staff Desk" }).click();
  await staffPage(tab).heading.waitFor();
  return { clerk, family, tab, desk: staffPage(tab) };
}

/** Wrong passwords, from a program. @param {House} house @param {string} number @param {number} tries */
async function wrongTries(house, number, tries) {
  for (let n = 0; n < tries; n += 1) {
    const answer = await fetch(`${house.url}api/v1/session`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: new URL(house.url).origin },
      body: JSON.stringify({ login_id: number, password: `not this one ${n}` }),
    });
    assert.equal(answer.status, 401);
  }
}

/** The code that a page shows. @param {Page} tab */
const shownCode = (tab) => staffPage(tab).code.locator("code").innerText();

for (const [how, options] of WAYS) {
  rule(`AZ-01 the office finds a person, sees what keeps them out, and lets them in again${how}`, async (house) => {
    const person = await house.claimed(0);
    const { tab: pupil } = await house.loggedIn(person);
    await wrongTries(house, person.login_id, 10);
    const { tab, desk } = await atTheDesk(house, options);
    await desk.look(person.login_id);
    await tab.getByRole("heading", { name: fullName(person), level: 2 }).waitFor();
    assert.equal(await textOf(desk.row("Account claimed")), "Yes");
    assert.equal(await textOf(desk.row("On the list")), "Yes");
    assert.equal(await textOf(desk.row("Logged in now")), "Browsers: 1");
    assert.match(await textOf(desk.row("Wrong tries to log in")), /^10: shut for another 1 minute$/);
    assert.match(await textOf(desk.row("Line of the list")), /^\S+, from \S+/);
    assert.ok(!(await tab.content()).includes(String(person.birthdate)), "no birthdate");

    await desk.facts({ ...person, given_name: "Somebody" });
    await desk.notice.getByText("The names are wrong.").waitFor();
    await desk.notice.getByText("The list has no birthdate").waitFor();

    await desk.clear.click();
    await desk.notice.getByText("The wrong tries are cleared").waitFor();
    assert.equal(await textOf(desk.row("Wrong tries to log in")), "0");
    const { tab: again } = await house.loggedIn(person);
    await landingPage(again).greeting.waitFor();

    await desk.end.click();
    await desk.notice.getByText("logged out everywhere").waitFor();
    assert.equal(await textOf(desk.row("Logged in now")), "Nowhere");
    for (const one of [pupil, again]) {
      await eventually("the pupil is at the door", () => logInPage(one).heading.isVisible(), A_SECOND);
    }
  }, { refusals: [401] });

  rule(`CL-06 RC-02 codes of the desk open a claim and a recovery${how}`, async (house) => {
    const [child, forgetful] = [await house.pupil(0), await house.claimed(1)];
    const { tab, desk } = await atTheDesk(house, options);
    await desk.look(child.login_id);
    assert.equal(await textOf(desk.row("Account claimed")), "Not yet");
    await desk.facts({ ...child, given_name: "Somebody" });
    await desk.notice.getByText("The names are wrong.").waitFor();
    await desk.notice.getByText("The birthdate is right.").waitFor();
    await desk.claimCode.click();
    const code = await shownCode(tab);
    const home = await (await house.family()).tab("claim");
    await claimPage(home).withCode.click();
    await claimPage(home).fill(child);
    await claimPage(home).code.fill(code);
    await claimPage(home).button.click();
    await claimPasswordPage(home).heading.waitFor();

    await desk.another.click();
    await desk.look(forgetful.login_id);
    await desk.recoveryCode.click();
    const recovery = await shownCode(tab);
    await home.goto(`${house.url}recover`);
    await recoverPage(home).send(forgetful.login_id, recovery);
    await recoverQuestionsPage(home).heading.waitFor();
  });

  rule(`a page of the desk that is loaded again makes no second code and shows the first no more${how}`, async (house) => {
    const [child, forgetful] = [await house.pupil(0), await house.claimed(1)];
    const { tab, desk } = await atTheDesk(house, options);
    /** @type {[string, import("playwright-core").Locator][]} */
    const buttons = [[child.login_id, desk.claimCode], [forgetful.login_id, desk.recoveryCode]];
    for (const [number, button] of buttons) {
      await desk.look(number);
      await button.click();
      const code = await shownCode(tab);
      const sent = house.requests.length;
      await tab.reload();
      assert.ok(house.requests.slice(sent).some((line) => line.startsWith("POST ")), "sent again");
      await desk.notice.getByText("Nothing was done now").waitFor();
      assert.equal(await desk.code.count(), 0);
      assert.ok(!(await tab.content()).includes(code), "shown once");
      await button.click();
      assert.notEqual(await shownCode(tab), code, "asked for anew");
      await desk.another.click();
    }
  });
}

rule("AZ-01 a pupil sees no way to the desk, and the desk refuses them", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await header(tab, fullName(person)).open();
  assert.equal(await tab.getByRole("link", { name: "Staff Desk" }).count(), 0);
  const answer = await tab.goto(`${house.url}staff`);
  assert.equal(answer?.status(), 403);
  assert.equal(await staffPage(tab).number.count(), 0);
  for (const page of ["staff/statistics", "staff/roster"]) {
    const answer = await tab.goto(`${house.url}${page}`);
    assert.equal(answer?.status(), 403, page);
  }
}, { refusals: [403] });

rule("AZ-01 a pupil of another school is not found, and the office of the district finds both", async (house) => {
  const people = await house.people();
  const of = (/** @type {string} */ id) => {
    const found = people.find((p) => p.organizations.join() === id && p.roles[0] === "student");
    assert.ok(found);
    return found;
  };
  const [here, there] = [of(CONTOSO.id), of(FABRIKAM.id)];
  const { clerk, tab, desk } = await atTheDesk(house);
  await desk.look(there.login_id);
  await desk.alert.getByText("No person of your school has this number").waitFor();
  assert.ok(!(await tab.content()).includes(there.family_name));
  await house.server.command(`membership add ${clerk.login_id} district-1 administrator`);
  for (const person of [there, here]) {
    await tab.goto(`${house.url}staff`);
    await desk.look(person.login_id);
    await tab.getByRole("heading", { name: fullName(person), level: 2 }).waitFor();
    assert.ok(await desk.clear.isVisible());
  }
}, { refusals: [422] });

for (const [how, options] of WAYS) {
  rule(`SE-13 after a quarter of an hour the desk asks for the password, and then does what was asked for${how}`, async (house) => {
    const child = await house.pupil(0);
    const { desk, tab } = await atTheDesk(house, options);
    await desk.look(child.login_id);
    await house.advance(16 * MINUTE);
    await desk.claimCode.click();
    await desk.password.waitFor();
    assert.ok(!(await tab.getByRole("main").innerText()).includes(child.family_name));
    await desk.password.fill("not it");
    await desk.goOn.click();
    await desk.alert.waitFor();
    await desk.password.fill(PASSWORD);
    await desk.goOn.click();
    assert.match(await shownCode(tab), /^\S{5}.\S{5}$/);
  }, { refusals: [403, 422] });
}

rule("the desk says what every control is for, and can be used with the keyboard alone", async (house) => {
  const child = await house.claimed(0);
  const { tab, desk } = await atTheDesk(house);
  await desk.number.focus();
  await tab.keyboard.type(child.login_id);
  await tab.keyboard.press("Enter");
  await desk.clear.waitFor();
  /** @type {[import("playwright-core").Locator, RegExp][]} */
  const described = [
    [desk.clear, /try again at once/],
    [desk.recoveryCode, /forgot the password/],
    [desk.end, /The password stays/],
  ];
  for (const [button, hint] of described) {
    const ids = (await button.getAttribute("aria-describedby")) ?? "";
    assert.match(await tab.locator(`#${ids}`).innerText(), hint);
  }
  for (const box of await tab.getByRole("main").getByRole("textbox").all()) {
    const name = await box.evaluate((field) => /** @type {any} */ (field).labels[0]?.textContent);
    assert.ok(name, await box.evaluate((field) => field.outerHTML));
  }
  await desk.clear.focus();
  await tab.keyboard.press("Enter");
  await desk.notice.getByText("cleared").waitFor();
});

for (const [how, options] of WAYS) {
  rule(`AZ-01 a list of people is looked at, brought in once, and touches the own school alone${how}`, async (house) => {
    const { clerk, tab, desk } = await atTheDesk(house, options);
    const lists = rosterPage(tab);
    await tab.getByRole("link", { name: "Lists of people" }).click();
    await lists.heading.waitFor();
    await lists.send(NO_ZIP);
    await lists.alert.getByText("The file could not be read").waitFor();
    await lists.send(NO_LIST);
    await lists.stopped.getByText("menu.csv").first().waitFor();
    assert.equal(await lists.confirm.count(), 0);
    await lists.another.click();
    const away = (await house.people()).filter((p) => p.organizations.join() === FABRIKAM.id);
    const without = away.slice(0, 3).map((p) => p.login_id);
    await lists.send(await exported(clerk, CONTOSO.id, { joins: "77001", without }));
    await lists.preview.waitFor();
    assert.equal((await lists.counts(CONTOSO.name))[0], 1, "one is new");
    assert.deepEqual((await lists.counts("All together")).slice(3, 5), [0, 0], "nobody has left");
    await lists.confirm.click();
    await lists.done.waitFor();
    await tab.reload();
    await lists.alert.getByText("brought in already").waitFor();
    await tab.getByRole("link", { name: "Find a person" }).click();
    await desk.look("77001");
    await tab.getByRole("heading", { name: "Newly Arrived", level: 2 }).waitFor();
  }, { refusals: [409, 422] });

  rule(`half a list holds the school, and the office decides${how}`, async (house) => {
    const { clerk, tab, desk } = await atTheDesk(house, options);
    const lists = rosterPage(tab);
    const listed = (await house.people()).filter((p) => p.organizations.join() === CONTOSO.id);
    const without = listed.slice(22, 42).map((p) => p.login_id);
    await tab.goto(`${house.url}staff/roster`);
    await lists.send(await exported(clerk, CONTOSO.id, { without }));
    assert.equal((await lists.counts(CONTOSO.name))[4], 20);
    await lists.confirm.click();
    await lists.done.waitFor();
    await tab.goto(`${house.url}staff/roster`);
    await lists.holds.getByText(/^20 of \d+ people are missing\.$/).waitFor();
    await lists.left.click();
    await lists.notice.getByText("They are ended now").waitFor();
    assert.equal(await lists.holds.count(), 0);
    await tab.goto(`${house.url}staff`);
    await desk.look(String(without[0]));
    assert.equal(await textOf(desk.row("On the list")), "No");
  });
}

rule("numbers are drawn, said in a sentence, and stand in a table behind the drawing", async (house) => {
  await house.claimed(0);
  const { tab } = await atTheDesk(house, PLAIN);
  await tab.getByRole("link", { name: "Numbers" }).click();
  await tab.getByRole("heading", { name: "Your School in Numbers", level: 1 }).waitFor();
  const drawing = tab.getByRole("img", { name: /^Accounts claimed each day From \S+ to \S+: 2 in all/ });
  await drawing.waitFor();
  const box = await drawing.locator("rect").last().boundingBox();
  assert.ok(box && box.height > 20, "the bar of today");
  const claims = tab.getByRole("region", { name: "Accounts claimed each day" });
  await claims.getByText("Show as a table").click();
  const today = claims.getByRole("row").nth(1);
  assert.equal(await today.getByRole("cell").innerText(), "2");
  const roles = tab.getByRole("region", { name: "Who is on the list" });
  await roles.getByRole("rowheader", { name: "Students" }).waitFor();
});
