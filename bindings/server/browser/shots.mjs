// @ts-check
/**
 * Pictures of all pages, light and dark, on a desktop and on a phone:
 * `node shots.mjs FOLDER`
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { rule } from "./lib/house.mjs";
import { TOUR_REFUSALS, tour } from "./lib/tour.mjs";

const folder = process.argv[2] ?? process.env.SHOTS;
if (!folder) throw new Error("say where: node shots.mjs FOLDER");
await mkdir(folder, { recursive: true });

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 375, height: 667 } };

for (const [kind, viewport] of Object.entries(SIZES)) {
  rule(`pictures, ${kind}`, async (house) => {
    const family = await house.family({ clock: true, viewport });
    await tour(house, family, async (name, tab) => {
      for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
        await tab.emulateMedia({ colorScheme });
        const path = join(folder, `${name}-${kind}-${colorScheme}.png`);
        await tab.screenshot({ path, fullPage: name !== "warning" && name !== "menu" });
      }
      const page = new URL(tab.url());
      if (!/refused|warning|menu/.test(name)) {
        page.searchParams.set("lang", "es");
        const spanish = await family.tab(page.href.slice(house.url.length));
        await spanish.screenshot({ path: join(folder, `${name}-${kind}-es.png`), fullPage: true });
        await spanish.close();
        await family.context.clearCookies({ name: "narthex-language" });
      }
    });
  }, { refusals: TOUR_REFUSALS, minutes: 5 });
}
