// @ts-check
/** The pages of the staff desk, one after the other. */
import { NO_LIST, NO_ZIP, exported } from "./lists.mjs";
import { header, logInPage, rosterPage, staffPage } from "./pages.mjs";
import { CONTOSO, PASSWORD, fullName } from "./people.mjs";

/**
 * Walks through the desk as somebody of the office, and leaves.
 * @param {import("./house.mjs").House} house
 * @param {import("./house.mjs").Family} family with a clock
 * @param {(name: string, tab: import("playwright-core").Page) => Promise<void>} visit
 */
export async function staffTour(house, family, visit) {
  const clerk = await house.clerk();
  const child = await house.pupil(21);
  const claimed = await house.claimed(22);
  const tab = await family.tab("login");
  const desk = staffPage(tab);
  await logInPage(tab).logIn(clerk.login_id, PASSWORD);
  await tab.waitForURL(/\/o\//);
  await tab.goto(`${house.url}staff`);
  await visit("staff", tab);
  await desk.look("0000000");
  await desk.alert.waitFor();
  await visit("staff-refused", tab);
  await desk.look(child.login_id);
  await visit("staff-person-unclaimed", tab);
  await desk.claimCode.click();
  await desk.code.waitFor();
  await visit("staff-claim-code", tab);
  await desk.facts({ ...child, given_name: "Somebody" });
  await visit("staff-checked", tab);
  await desk.facts({ ...child, birthdate: "2012-12-41" });
  await desk.alert.waitFor();
  await visit("staff-facts-refused", tab);
  await desk.another.click();
  await desk.look(claimed.login_id);
  await visit("staff-person-claimed", tab);
  await desk.recoveryCode.click();
  await desk.code.waitFor();
  await visit("staff-recovery-code", tab);
  await desk.another.click();
  await desk.look(clerk.login_id);
  await visit("staff-only-look", tab);
  await tab.goto(`${house.url}staff/statistics`);
  await tab.getByText("Show as a table").first().click();
  await visit("staff-statistics", tab);
  const lists = rosterPage(tab);
  await tab.goto(`${house.url}staff/roster`);
  await tab.getByText("If the file needs a hint").click();
  await visit("staff-roster", tab);
  await lists.send(NO_ZIP);
  await lists.alert.waitFor();
  await visit("staff-roster-refused", tab);
  await lists.send(NO_LIST);
  await lists.stopped.waitFor();
  await visit("staff-roster-stopped", tab);
  await lists.another.click();
  const listed = (await house.people()).filter((p) => p.organizations[0] === CONTOSO.id);
  const without = listed.slice(30, 50).map((p) => p.login_id);
  await lists.send(await exported(clerk, CONTOSO.id, { joins: "77001", without }));
  await lists.preview.waitFor();
  await visit("staff-roster-preview", tab);
  await lists.confirm.click();
  await lists.done.waitFor();
  await visit("staff-roster-done", tab);
  await tab.goto(`${house.url}staff/roster`);
  await lists.holds.waitFor();
  await visit("staff-roster-holds", tab);
  await lists.wrong.click();
  await lists.notice.waitFor();
  await house.advance(16 * 60_000);
  for (const page of ["staff", "staff/roster"]) {
    await tab.goto(`${house.url}${page}`);
    await visit(`${page.replace("/", "-")}-with-password`, tab);
  }
  await header(tab, fullName(clerk)).leave();
  await logInPage(tab).heading.waitFor();
  await tab.close();
}
