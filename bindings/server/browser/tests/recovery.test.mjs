// @ts-check
/** A child who forgot everything, and the codes that are kept for that day. */
import assert from "node:assert/strict";

import { rule } from "../lib/house.mjs";
import {
  claimPage,
  claimPasswordPage,
  claimQuestionsPage,
  codesPage,
  landingPage,
  logInPage,
  recoverPage,
  recoverPasswordPage,
  recoverQuestionsPage,
} from "../lib/pages.mjs";
import { CONTOSO, NEW_PASSWORD, PASSWORD, PRINCIPAL } from "../lib/people.mjs";

const HOUR = 3600 * 1000;
const PLAIN = { javaScriptEnabled: false };

/** The office makes a code. @param {import("../lib/house.mjs").House} house @param {string} number */
const codeFor = (house, number) => house.server.command(`recovery-code ${number}`);

for (const [how, options] of /** @type {const} */ ([["", {}], [" without a script", PLAIN]])) {
  rule(`RC-04 a child who forgot the password gets in with a code from the office${how}`, async (house) => {
    const person = await house.claimed();
    const { tab: library } = await house.loggedIn(person);
    const code = await codeFor(house, person.login_id);
    const tab = await (await house.family(options)).tab("login");
    await logInPage(tab).forgot.click();
    await recoverPage(tab).heading.waitFor();
    await recoverPage(tab).send(person.login_id, code.toLowerCase().replaceAll("-", " "));
    await recoverQuestionsPage(tab).heading.waitFor();
    await tab.getByText(`number ${person.login_id}`).waitFor();
    await recoverQuestionsPage(tab).send();
    await recoverPasswordPage(tab).send("short");
    await recoverPasswordPage(tab).alert.waitFor();
    await recoverPasswordPage(tab).send(NEW_PASSWORD);
    await logInPage(tab).notice.getByText("Your new password is saved").waitFor();
    assert.equal(await logInPage(tab).number.inputValue(), person.login_id, "the number is there");
    await logInPage(library).notice.getByText("recovered").waitFor();
    await logInPage(tab).password.fill(NEW_PASSWORD);
    await logInPage(tab).button.click();
    await landingPage(tab).greeting.waitFor();
    await logInPage(library).logIn(person.login_id, PASSWORD);
    await logInPage(library).alert.waitFor();
    await tab.goBack();
    await tab.goto(`${house.url}recover`);
    await recoverPage(tab).send(person.login_id, code);
    await recoverPage(tab).alert.getByText("was used before").waitFor();
  }, { refusals: [401, 403, 422] });
}

rule("SQ-05 who forgot the answers too is shown the humans, who allow a new claim", async (house) => {
  const person = await house.claimed();
  const code = await codeFor(house, person.login_id);
  const tab = await (await house.family()).tab("recover");
  await recoverPage(tab).noCode.click();
  await tab.getByRole("link", { name: PRINCIPAL.email }).waitFor();
  await recoverPage(tab).send(person.login_id, code);
  await recoverQuestionsPage(tab).send(["Somebody", "Something"]);
  await recoverQuestionsPage(tab).alert.getByText("wait a day").waitFor();
  assert.equal(await recoverQuestionsPage(tab).toy.inputValue(), "Somebody", "nothing is lost");
  // Opened by itself after a wrong answer.
  await tab.getByRole("link", { name: PRINCIPAL.email }).waitFor();
  // The birthdate went with the first claim: the office hands out a code.
  const again = await house.server.command(`reset ${person.login_id}`);
  await tab.goto(`${house.url}claim`);
  await claimPage(tab).withCode.click();
  await claimPage(tab).code.fill(again.code);
  await claimPage(tab).send(person);
  await claimPasswordPage(tab).send(NEW_PASSWORD);
  await claimQuestionsPage(tab).send(["Ulysses the bear", "A tune of rain"]);
  await logInPage(tab).password.fill(NEW_PASSWORD);
  await logInPage(tab).button.click();
  await landingPage(tab).greeting.waitFor();
}, { refusals: [403] });

rule("RC-01 codes are offered on the landing page, shown once, printed, and open the account", async (house) => {
  const person = await house.claimed();
  const { tab } = await house.loggedIn(person);
  await tab.getByRole("link", { name: "Save recovery codes" }).click();
  await codesPage(tab).make.click();
  await codesPage(tab).codes.first().waitFor();
  const codes = await codesPage(tab).codes.allInnerTexts();
  assert.equal(codes.length, 8);
  assert.equal(new Set(codes).size, 8);
  for (const code of codes) assert.match(code, /^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  await tab.evaluate(() => {
    window.print = () => document.body.setAttribute("data-printed", "yes");
  });
  await codesPage(tab).print.click();
  assert.equal(await tab.locator("body").getAttribute("data-printed"), "yes");
  await tab.emulateMedia({ media: "print" });
  assert.equal(await codesPage(tab).print.isVisible(), false, "no button on paper");
  assert.equal(await codesPage(tab).codes.first().isVisible(), true);
  await tab.emulateMedia({ media: "screen" });
  await tab.getByRole("link", { name: "I have saved them" }).click();
  await landingPage(tab).greeting.waitFor();
  assert.equal(await tab.getByRole("link", { name: "Save recovery codes" }).count(), 0);
  await tab.goto(`${house.url}account/recovery-codes`);
  await tab.getByText("You have 8 codes").waitFor();
  const shown = await tab.content();
  for (const code of codes) assert.ok(!shown.includes(code), "shown once");
  assert.ok(!house.requests.some((line) => codes.some((code) => line.includes(code))));

  const other = await (await house.family()).tab("recover");
  await recoverPage(other).send(person.login_id, codes[4] ?? "");
  await recoverQuestionsPage(other).send();
  await recoverPasswordPage(other).send(NEW_PASSWORD);
  await logInPage(other).notice.waitFor();
  await logInPage(tab).notice.getByText("recovered").waitFor();
  await logInPage(tab).logIn(person.login_id, NEW_PASSWORD);
  await tab.goto(`${house.url}o/${CONTOSO.id}/`);
  await tab.getByRole("link", { name: "Save recovery codes" }).waitFor();
}, { refusals: [401] });

rule("RC-02 a recovery that was left open leads back to its beginning", async (house) => {
  const person = await house.claimed();
  const code = await codeFor(house, person.login_id);
  const family = await house.family();
  const tab = await family.tab("recover");
  await recoverPage(tab).send(person.login_id, code);
  await recoverQuestionsPage(tab).heading.waitFor();
  const url = tab.url();
  const thief = await (await house.family()).tab();
  await thief.goto(url);
  await recoverPage(thief).notice.getByText("started in another browser").waitFor();
  await house.advance(11 * 60_000);
  await recoverQuestionsPage(tab).send();
  await recoverPage(tab).notice.getByText("took too long").waitFor();
  await house.advance(24 * HOUR);
  await recoverPage(tab).send(person.login_id, code);
  await recoverPage(tab).alert.getByText("too old").waitFor();
}, { refusals: [403] });
