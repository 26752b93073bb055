// @ts-check
/** Where one is logged in, other questions, and the password that is asked again. */
import assert from "node:assert/strict";

import { A_SECOND, eventually } from "../lib/eventually.mjs";
import { rule } from "../lib/house.mjs";
import {
  codesPage,
  header,
  landingPage,
  logInPage,
  recoverPage,
  recoverPasswordPage,
  recoverQuestionsPage,
  sessionsPage,
} from "../lib/pages.mjs";
import { CONTOSO, NEW_PASSWORD, PASSWORD, fullName } from "../lib/people.mjs";

const PLAIN = { javaScriptEnabled: false };
const FIREFOX = { userAgent: "Mozilla/5.0 (Windows NT 10.0; rv:143.0) Gecko/20100101 Firefox/143.0" };

for (const [how, options] of /** @type {const} */ ([["", {}], [" without a script", PLAIN]])) {
  rule(`SE-11 one other browser is ended from here, and only that one${how}`, async (house) => {
    const person = await house.claimed();
    const { tab: library } = await house.loggedIn(person, FIREFOX);
    const { tab: phone } = await house.loggedIn(person);
    const { tab } = await house.loggedIn(person, options);
    await header(tab, fullName(person)).open();
    await header(tab, fullName(person)).details.click();
    await tab.getByRole("link", { name: "Where you are logged in" }).click();
    const page = sessionsPage(tab);
    await page.heading.waitFor();
    assert.equal(await page.list.count(), 3);
    await page.list.filter({ hasText: "This browser" }).getByText("In use now").waitFor();
    await page.list.filter({ hasText: "Firefox, Windows" }).getByRole("button").click();
    await page.notice.getByText("That browser is logged out").waitFor();
    assert.equal(await page.list.count(), 2);
    await logInPage(library).notice.getByText("from another browser").waitFor();
    await phone.reload();
    await landingPage(phone).greeting.waitFor();
  }, { refusals: [401] });
}

rule("SE-11 P4 all other browsers are ended within a second, and this one goes on in all its tabs", async (house) => {
  const person = await house.claimed();
  const { tab: one } = await house.loggedIn(person);
  const { tab: two } = await house.loggedIn(person);
  const { family, tab } = await house.loggedIn(person);
  const also = await family.tab("account");
  const before = await family.cookie();
  await tab.goto(`${house.url}account/sessions`);
  await sessionsPage(tab).endOthers.click();
  for (const other of [one, two]) {
    await eventually("the other browser is at the door", () => logInPage(other).heading.isVisible(), A_SECOND);
  }
  await sessionsPage(tab).notice.getByText("logged out everywhere else").waitFor();
  await tab.getByText("You are logged in only here").waitFor();
  assert.equal((await family.ask(before)).body.code, "token_replaced", "the token is new");
  // A form of a page from before still goes: it is bound to the family, not to the token.
  await also.getByRole("button", { name: "Save" }).click();
  await also.getByRole("status").getByText("Saved").waitFor();
  await one.goto(`${house.url}login`);
  await logInPage(one).logIn(person.login_id);
  await landingPage(one).greeting.waitFor();
}, { refusals: [401] });

rule("SE-13 after a quarter of an hour the password is asked, on the same page, and nothing is lost", async (house) => {
  const person = await house.claimed();
  const { family, tab } = await house.loggedIn(person, { clock: true });
  await tab.goto(`${house.url}account/questions`);
  assert.equal(await tab.getByLabel("Current password").count(), 0);
  await house.advance(16 * 60_000);
  const slots = tab.getByRole("group", { name: /^Question \d/ });
  for (const [index, [question, answer]] of [["story", "The tin owl"], ["first_trip", "Nowhere Lake"]].entries()) {
    await slots.nth(index).getByRole("combobox").selectOption(question ?? "");
    await slots.nth(index).getByLabel("Your answer").fill(answer ?? "");
  }
  const save = tab.getByRole("button", { name: "Save", exact: true });
  await save.click();
  await tab.getByRole("alert").getByText("Please type your password again").waitFor();
  assert.equal(await slots.nth(0).getByLabel("Your answer").inputValue(), "The tin owl");
  await tab.getByLabel("Current password", { exact: true }).fill("not the password");
  await save.click();
  await tab.getByRole("alert").getByText("The current password is wrong").waitFor();
  const before = await family.cookie();
  await tab.getByLabel("Current password", { exact: true }).fill(PASSWORD);
  await save.click();
  await tab.getByRole("status").getByText("Saved").waitFor();
  assert.notEqual((await family.cookie())?.value, before?.value, "a token is new at every step up");
  await tab.goto(`${house.url}account/recovery-codes`);
  await codesPage(tab).make.click();
  const [code = ""] = await codesPage(tab).codes.allInnerTexts();

  const other = await (await house.family()).tab("recover");
  await recoverPage(other).send(person.login_id, code);
  await other.getByLabel("Which story was read to you most when you were little?").fill("tin owl");
  await other.getByLabel("Where did your first trip away from home go?").fill("nowhere lake");
  await recoverQuestionsPage(other).button.click();
  await recoverQuestionsPage(other).alert.waitFor();
  await other.getByLabel("Which story was read to you most when you were little?").fill("the TIN owl!");
  await recoverQuestionsPage(other).button.click();
  await recoverPasswordPage(other).send(NEW_PASSWORD);
  await logInPage(other).notice.waitFor();
}, { refusals: [401, 403, 422] });

rule("SE-13 without a script: codes are made with the password typed again", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person, PLAIN);
  await house.advance(16 * 60_000);
  await tab.goto(`${house.url}account/recovery-codes`);
  await codesPage(tab).password.fill(PASSWORD);
  await codesPage(tab).make.click();
  assert.equal(await codesPage(tab).codes.count(), 8);
  assert.equal(await codesPage(tab).print.count(), 0, "no button that does nothing");
  await tab.goto(`${house.url}o/${CONTOSO.id}/`);
  await landingPage(tab).greeting.waitFor();
});
