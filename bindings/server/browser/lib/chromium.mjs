// @ts-check
/** The browser that is installed here. */
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const USUAL = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/**
 * @param {import("playwright-core").LaunchOptions} [options]
 * @returns {Promise<import("playwright-core").Browser>}
 */
export function launch(options = {}) {
  const executablePath = process.env.CHROMIUM ?? USUAL.find((path) => existsSync(path));
  if (!executablePath) throw new Error(`no browser: set CHROMIUM, or install ${USUAL.join(" or ")}`);
  const args = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  if (process.getuid?.() === 0) args.push("--no-sandbox");
  const headless = !process.env.HEADED;
  const slowMo = Number(process.env.SLOW_MO ?? 0);
  return chromium.launch({ executablePath, args, headless, slowMo, ...options });
}
