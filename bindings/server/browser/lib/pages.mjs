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
    forgot: page.getByRole("link", { name: "Forgot my password" }),
    notice: page.getByRole("status").and(page.locator("#notice")),
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
    withCode: page.getByText("I have a code"),
    code: page.getByLabel("Code", { exact: true }),
    button: page.getByRole("button", { name: "Continue" }),
    alert: page.getByRole("alert"),
    notice: page.getByRole("status").and(page.locator("#notice")),
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
    suggest: page.getByRole("button", { name: "Suggest one" }),
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
    // And not what the page before says of the password that is typed.
    notice: page.getByRole("status").and(page.locator("#notice")),
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

/** @param {Page} page */
export function recoverPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Forgot my password", level: 1 }),
    number: page.getByLabel("Student Number"),
    code: page.getByLabel("Recovery code"),
    noCode: page.getByText("I do not have a code"),
    button: page.getByRole("button", { name: "Continue" }),
    alert: page.getByRole("alert"),
    notice: page.getByRole("status").and(page.locator("#notice")),
    /** @param {string} id @param {string} code */
    async send(id, code) {
      await this.number.fill(id);
      await this.code.fill(code);
      await this.button.click();
    },
  };
}

/** @param {Page} page */
export function recoverQuestionsPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Your questions", level: 1 }),
    /** In the order of the questions' ids. */
    song: page.getByLabel("Which song did you know by heart first?"),
    toy: page.getByLabel("What was the name of your first soft toy or doll?"),
    forgotten: page.getByText("I do not remember my answers"),
    button: page.getByRole("button", { name: "Continue" }),
    alert: page.getByRole("alert"),
    /** @param {string[]} [answers] that of the toy, then that of the other question */
    async send([toy = "", other = ""] = ANSWERS) {
      for (const box of await page.getByRole("main").getByRole("textbox").all()) {
        const label = await box.evaluate((field) => /** @type {any} */ (field).labels[0].textContent);
        await box.fill(label.includes("soft toy") ? toy : other);
      }
      await this.button.click();
    },
  };
}

/** @param {Page} page */
export function recoverPasswordPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Make a password", level: 1 }),
    password: page.getByLabel("New password", { exact: true }),
    button: page.getByRole("button", { name: "Save", exact: true }),
    alert: page.getByRole("alert"),
    /** @param {string} word */
    async send(word) {
      await this.password.fill(word);
      await this.button.click();
    },
  };
}

/** @param {Page} page */
export function codesPage(page) {
  return {
    heading: page.getByRole("heading", { name: "Recovery codes", level: 1, exact: true }),
    password: page.getByLabel("Current password", { exact: true }),
    make: page.getByRole("button", { name: "Make new codes" }),
    print: page.getByRole("button", { name: "Print" }),
    codes: page.getByRole("region", { name: /^Recovery codes of/ }).getByRole("listitem"),
    alert: page.getByRole("alert"),
  };
}

/** @param {Page} page */
export function sessionsPage(page) {
  const list = page.getByRole("main").getByRole("listitem");
  return {
    heading: page.getByRole("heading", { name: "Where you are logged in", level: 1 }),
    list,
    password: page.getByLabel("Current password", { exact: true }),
    endOne: list.getByRole("button", { name: /^Log out there/ }),
    endOthers: page.getByRole("button", { name: "Log out everywhere else" }),
    alert: page.getByRole("alert"),
    notice: page.getByRole("status").and(page.locator("#notice")),
  };
}

/** @param {Page} page */
export function staffPage(page) {
  const check = page.getByRole("main").locator("form").filter({ hasText: "Birthdate" });
  const birthdate = page.getByRole("group", { name: "Birthdate" });
  return {
    heading: page.getByRole("heading", { name: "Staff Desk", level: 1 }),
    number: page.getByLabel("Number of the person"),
    find: page.getByRole("button", { name: "Find", exact: true }),
    goOn: page.getByRole("button", { name: "Go On" }),
    password: page.getByLabel("Current password", { exact: true }),
    clear: page.getByRole("button", { name: "Clear wrong tries" }),
    claimCode: page.getByRole("button", { name: "Make a claim code" }),
    recoveryCode: page.getByRole("button", { name: "Make a recovery code" }),
    end: page.getByRole("button", { name: "Log out everywhere" }),
    check: page.getByRole("button", { name: "Check", exact: true }),
    another: page.getByRole("link", { name: "Find somebody else" }),
    notice: page.getByRole("status"),
    alert: page.getByRole("alert"),
    code: page.getByRole("region", { name: /code for/ }),
    /** @param {string} id */
    async look(id) {
      await this.number.fill(id);
      await this.find.click();
    },
    /** What the page says under this word. @param {string} word */
    row: (word) => page.locator(`dt:text-is("${word}") + dd`),
    /** @param {Listed} person */
    async facts(person) {
      const [year = "", month = "", day = ""] = (person.birthdate ?? "").split("-");
      await check.getByLabel("First Name").fill(person.given_name);
      await check.getByLabel("Last Name").fill(person.family_name);
      await birthdate.getByLabel("Month").fill(String(Number(month)));
      await birthdate.getByLabel("Day").fill(String(Number(day)));
      await birthdate.getByLabel("Year").fill(year);
      await this.check.click();
    },
  };
}

/** Lists of people, brought in by staff. @param {Page} page */
export function rosterPage(page) {
  const counts = page.getByRole("region", { name: "Counts for each school" });
  const holds = page.getByRole("region", { name: "Waiting for you" });
  return {
    heading: page.getByRole("heading", { name: "Lists of People", level: 1 }),
    file: page.getByLabel("File", { exact: true }),
    look: page.getByRole("button", { name: "Look at it first" }),
    preview: page.getByRole("region", { name: "What would change" }),
    done: page.getByRole("region", { name: "The list is brought in" }),
    stopped: page.getByRole("region", { name: "Nothing is changed: the file has errors" }),
    another: page.getByRole("link", { name: "Choose another file" }),
    confirm: page.getByRole("button", { name: "Bring it in" }),
    holds,
    left: holds.getByRole("button", { name: "They have left" }),
    wrong: holds.getByRole("button", { name: "The list was wrong" }),
    password: page.getByLabel("Current password", { exact: true }),
    goOn: page.getByRole("button", { name: "Go On" }),
    notice: page.getByRole("status").and(page.locator("#notice")),
    alert: page.getByRole("alert"),
    /** @param {{name: string, mimeType: string, buffer: Buffer}} file */
    async send(file) {
      await this.file.setInputFiles(file);
      await this.look.click();
    },
    /** New, changed, as before, ended, waiting, left out. @param {string} where */
    async counts(where) {
      const row = counts.getByRole("row").filter({ has: page.getByRole("rowheader", { name: where }) });
      return (await row.getByRole("cell").allInnerTexts()).map(Number);
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
