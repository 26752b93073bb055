// @ts-check
/** The rules on the pages of Python applications: `examples/{fastapi,flask,django}-diary`. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { atMost, eventually, pause } from "../lib/eventually.mjs";
import { ExampleUnderTest, NAMES } from "../lib/example.mjs";
import { House } from "../lib/house.mjs";
import {
  claimPage, claimPasswordPage, claimQuestionsPage, header, landingPage, logInPage, passwordPage, returnTo,
} from "../lib/pages.mjs";
import { NEW_PASSWORD, PASSWORD, claimQuickly, fullName } from "../lib/people.mjs";

/** @typedef {import("playwright-core").Page} Page */

const HOUR = 3600 * 1000;
const TEST_MS_MAX = 90_000;

/** @type {import("../lib/people.mjs").Listed} */
const ORA = {
  login_id: "13001", given_name: "Ora", family_name: "Klein", birthdate: "2000-04-02",
  organizations: ["10001"], roles: ["student"],
};
const BEULAH = {
  ...ORA, login_id: "13002", given_name: "Beulah", family_name: "McMillan", birthdate: "1999-11-12",
};

/** A page of the diary. @param {Page} page */
function diaryPage(page) {
  return {
    /** @param {string} name */
    heading: (name) => page.getByRole("heading", { name: `Diary of ${name}`, level: 1 }),
    entry: page.getByLabel("Entry"),
    button: page.getByRole("button", { name: "Write" }),
    /** @param {string} text */
    async write(text) {
      await this.entry.fill(text);
      await this.button.click();
      await page.getByRole("paragraph").filter({ hasText: text }).waitFor();
    },
  };
}

/** Where a tab is, from the root of the origin. @param {Page} tab */
const place = (tab) => tab.url().slice(new URL(tab.url()).origin.length);

/** @param {House} house @param {string} path */
const at = (house, path) => new URL(path, house.url).href;

/**
 * One rule, on the pages of one example.
 * @param {string} name @param {string} example @param {"real" | "clock"} kind
 * @param {(house: House) => Promise<void>} body
 */
function onExample(name, example, kind, body) {
  test(`${name} (${example})`, { timeout: 2 * TEST_MS_MAX }, async (t) => {
    const server = await ExampleUnderTest.start(example, kind);
    const house = new House(
      /** @type {any} */ (server), { refusals: [401, 403, 409] }, (line) => t.diagnostic(line),
    );
    try {
      await atMost(TEST_MS_MAX, "this test", body(house));
      assert.deepEqual(house.trouble, [], "what the browsers complained of");
    } catch (error) {
      const said = error instanceof Error ? error : new Error(String(error));
      said.message += `\n  screenshots and logs: ${await house.keep(name)}`;
      throw said;
    } finally {
      await house.close();
      await server.stop();
    }
  });
}

for (const example of NAMES) {
  onExample("S1-S11 S15 two browsers before one diary", example, "real", async (house) => {
    const here = await house.family();
    const one = await here.tab();
    await one.goto(at(house, "/diary/monday"));
    await logInPage(one).heading.waitFor();
    const wanted = new URL(one.url()).searchParams;
    assert.equal(wanted.get("return_to") ?? wanted.get("next"), "/diary/monday");
    await logInPage(one).claim.click();
    await claimPage(one).send(ORA);
    await claimPasswordPage(one).send();
    await claimQuestionsPage(one).send();
    await logInPage(one).heading.waitFor();
    assert.equal(await logInPage(one).number.inputValue(), ORA.login_id);
    await logInPage(one).logIn(ORA.login_id);
    await header(one, fullName(ORA)).toggle.waitFor();
    await one.goto(at(house, "/diary/monday"));
    await diaryPage(one).heading("Ora Klein").waitFor();
    await diaryPage(one).write("Rain, and a snail & two <stones>");

    const two = await here.tab();
    await two.goto(at(house, "/diary/friday"));
    const elsewhere = await house.family();
    const other = await elsewhere.tab();
    await other.goto(at(house, "/diary/tuesday"));
    await logInPage(other).logIn(ORA.login_id);
    await diaryPage(other).heading("Ora Klein").waitFor();
    assert.equal(place(other), "/diary/tuesday", "the page that was wanted");
    const old = await elsewhere.cookie();

    await header(one, fullName(ORA)).open();
    await header(one, fullName(ORA)).password.click();
    await passwordPage(one).send(PASSWORD, NEW_PASSWORD);
    await landingPage(one).notice.getByText("Your password has been changed").waitFor();
    await landingPage(two).notice.getByText("Your password has been changed").waitFor();
    for (let turn = 0; turn < 6; turn += 1) {
      const refused = await elsewhere.ask(old);
      assert.equal(refused.body.reason, "password_changed", "in every process at once");
    }

    // The first key asks the server, and leads away: no stream of events is needed. A key within a second
    // of the one before, or of the page, is not told apart from it.
    await pause(1100);
    await diaryPage(other).entry.press("n");
    await logInPage(other).heading.waitFor();
    assert.equal(returnTo(other), "/diary/tuesday");
    await logInPage(other).logIn(ORA.login_id, PASSWORD);
    await logInPage(other).alert.waitFor();
    await logInPage(other).logIn(ORA.login_id, NEW_PASSWORD);
    await diaryPage(other).heading("Ora Klein").waitFor();
    assert.equal(place(other), "/diary/tuesday", "back where it was");
    await other.goto(at(house, "/diary/monday"));
    await other.getByText("Rain, and a snail & two <stones>").waitFor();

    const beside = await elsewhere.tab();
    await beside.goto(at(house, "/diary/friday"));
    // Not the tab that came first: that one would be missed by the others.
    await header(beside, fullName(ORA)).leave();
    await logInPage(beside).heading.waitFor();
    await logInPage(other).heading.waitFor();
    await beside.goBack();
    await logInPage(beside).heading.waitFor();
    await one.goto(at(house, "/diary/monday"));
    await diaryPage(one).heading("Ora Klein").waitFor();
  });

  onExample("S12-S15 four hours, and back to the day that was open", example, "clock", async (house) => {
    await claimQuickly(house.url, ORA);
    await claimQuickly(house.url, BEULAH);
    const family = await house.family({ clock: true });
    const tab = await family.tab("login");
    await logInPage(tab).logIn(ORA.login_id);
    await landingPage(tab).greeting.waitFor();
    const account = await family.tab("account");
    await tab.goto(at(house, "/diary/monday"));
    await house.advance(3 * HOUR);
    await tab.bringToFront();
    const told = family.context.waitForEvent("response", {
      predicate: (response) => response.url().endsWith("/session/activity"),
    });
    await diaryPage(tab).entry.pressSequentially("Half a sentence");
    assert.equal((await told).status(), 204);
    await house.advance(3 * HOUR);
    await header(account, fullName(ORA)).toggle.waitFor();
    assert.equal(place(account), "/portal/account", "typing in the diary keeps the portal's tabs");

    await house.advance(HOUR + 1000);
    await logInPage(tab).heading.waitFor();
    await logInPage(account).heading.waitFor();
    assert.deepEqual([returnTo(tab), returnTo(account)], ["/diary/monday", "/account"]);
    await logInPage(tab).logIn(ORA.login_id);
    await diaryPage(tab).heading("Ora Klein").waitFor();
    assert.equal(place(tab), "/diary/monday");
    await eventually("the waiting tab is back too", () => place(account) === "/portal/account");
    await diaryPage(tab).write("A whole sentence");

    await house.advance(4 * HOUR + 1000);
    await logInPage(tab).heading.waitFor();
    await logInPage(tab).logIn(BEULAH.login_id);
    await landingPage(tab).greeting.waitFor();
    await tab.goto(at(house, "/diary/monday"));
    await diaryPage(tab).heading("Beulah McMillan").waitFor();
    assert.ok(!(await tab.content()).includes("sentence"), "another person's diary is empty");
  });
}
