// @ts-check
/**
 * The pages as a person finds their way: by role and label, never by how they are drawn.
 */
import assert from "node:assert/strict";

import { ANSWERS, PASSWORD } from "./people.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./people.mjs").Listed} Listed */

/** @param {Page} page */
export function logInPage(page) {
  const number = page.getByLabel("Student Number");
  const password = page.getByLabel("Password", { exact: true });
  return {
    heading: page.getByRole("heading", { name: "Log In", level: 1 }),
    number,
    password,
    shared: page.getByLabel("This is a shared computer"),
    button: page.getByRole("button", { name: "Log In" }),
    claim: page.getByRole("link", { name: "Claim My Account" }),
    notice: page.getByRole("status"),
    alert: page.getByRole("alert"),
    /** @param {string} id @param {string} word */
    async logIn(id, word = PASSWORD, { shared = false } = {}) {
      await number.fill(id);
      await password.fill(word);
      if (shared) await this.shared.check();
      await this.button.click();
    },
    /** @param {string} url of the portal */
    open: (url) => page.goto(`${url}login`),
  };
}

/** @param {Page} page */
export function claimPage(page) {
  const birthdate = page.getByRole("group", { name: "Birthdate" });
  return {
    heading: page.getByRole("heading", { name: "Claim My Account", level: 1 }),
    given: page.getByLabel("First Name"),
    family: page.getByLabel("Last Name"),
    month: birthdate.getByLabel("Month"),
    day: birthdate.getByLabel("Day"),
    year: birthdate.getByLabel("Year"),
    number: page.getByLabel("Student Number"),
    unknown: page.getByText("I do not know my number"),
    button: page.getByRole("button", { name: "Continue" }),
    alert: page.getByRole("alert"),
    notice: page.getByRole("status"),
    /** @param {Listed} person */
    async fill(person) {
      const [year = "", month = "", day = ""] = (person.birthdate ?? "").split("-");
      await this.given.fill(person.given_name);
      await this.family.fill(person.family_name);
      await this.month.fill(String(Number(month)));
      await this.day.fill(String(Number(day)));
      await this.year.fill(year);
      await this.number.fill(person.login_id);
    },
    /** @param {Listed} person */
    async send(person) {
      await this.fill(person);
      await this.button.click();
    },
  };
}

/** @param {Page} page */
export function claimPasswordPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Make a password", level: 1 }),
    password: page.getByLabel("New password", { exact: true }),
    button: page.getByRole("button", { name: "Save and continue" }),
    notYou: page.getByRole("button", { name: /Not you/ }),
    alert: page.getByRole("alert"),
    /** @param {string} [word] */
    async send(word = PASSWORD) {
      await this.password.fill(word);
      await this.button.click();
    },
  };
}

/** @param {Page} page */
export function claimQuestionsPage(page) {
  const questions = page.getByRole("group", { name: /^Question \d/ });
  return {
    heading: page.getByRole("heading", { name: "Security questions", level: 1 }),
    questions,
    button: page.getByRole("button", { name: "Finish" }),
    alert: page.getByRole("alert"),
    async fill(answers = ANSWERS) {
      for (const [index, answer] of answers.entries()) {
        const one = questions.nth(index);
        // The first entry says "Choose a question".
        await one.getByRole("combobox").selectOption({ index: index + 1 });
        await one.getByLabel("Your answer").fill(answer);
      }
    },
    async send(answers = ANSWERS) {
      await this.fill(answers);
      await this.button.click();
    },
  };
}

/** Behind the log-in: the header of every page. @param {Page} page @param {string} name */
export function header(page, name) {
  const banner = page.getByRole("banner");
  const toggle = banner.getByText(name, { exact: true });
  return {
    banner,
    toggle,
    details: banner.getByRole("link", { name: "Account details" }),
    organization: banner.getByRole("link", { name: "Default organization" }),
    password: banner.getByRole("link", { name: "Change password" }),
    logOut: banner.getByRole("button", { name: "Log out" }),
    open: () => toggle.click(),
    async leave() {
      await toggle.click();
      await this.logOut.click();
    },
  };
}

/** @param {Page} page */
export function landingPage(page) {
  return {
    greeting: page.getByRole("heading", { name: /^Hello/, level: 1 }),
    applications: page.getByRole("region", { name: "Applications" }),
    downloads: page.getByRole("region", { name: "Downloads" }),
    statistics: page.getByRole("region", { name: /in numbers$/ }),
    links: page.getByRole("region", { name: "Support and learning" }),
    notice: page.getByRole("status"),
  };
}

/** @param {Page} page */
export function passwordPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Change password", level: 1 }),
    current: page.getByLabel("Current password", { exact: true }),
    fresh: page.getByLabel("New password", { exact: true }),
    button: page.getByRole("button", { name: "Save" }),
    alert: page.getByRole("alert"),
    /** @param {string} current @param {string} fresh */
    async send(current, fresh) {
      await this.current.fill(current);
      await this.fresh.fill(fresh);
      await this.button.click();
    },
  };
}

/** The warning before the end. @param {Page} page */
export function warning(page) {
  const dialog = page.getByRole("alertdialog");
  return { dialog, stay: dialog.getByRole("button", { name: "Stay logged in" }) };
}

/** Where a tab is, below the portal's URL. @param {Page} page @param {string} url */
export function place(page, url) {
  return page.url().startsWith(url) ? page.url().slice(url.length) : page.url();
}

/** What the log-in page of this tab would lead back to. @param {Page} page */
export function returnTo(page) {
  const { pathname, searchParams } = new URL(page.url());
  assert.match(pathname, /\/login$/);
  return searchParams.get("return_to");
}

/** @param {import("playwright-core").Locator} locator */
export async function textOf(locator) {
  return (await locator.innerText()).replace(/\s+/g, " ").trim();
}
