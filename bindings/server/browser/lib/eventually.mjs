// @ts-check
/** Waiting for what must become true, with a limit that is part of the rule. */

/** Limits hold on a machine that does nothing else; one under load is allowed so many times as long. */
const PATIENCE = Number(process.env.NARTHEX_PATIENCE ?? 2);

/** What the rules call "within a second". */
export const A_SECOND = 1000 * PATIENCE;
/** Enough for anything that has no limit of its own. */
export const A_WHILE = 4000 * PATIENCE;

/** @param {number} ms @returns {Promise<void>} */
export const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));

/**
 * Asks until the answer is not false; after the limit the last error or the sentence is thrown.
 * @template T
 * @param {string} sentence what must be so
 * @param {() => Promise<T> | T} ask
 * @param {number} [within] milliseconds
 * @returns {Promise<{answer: T, took: number}>}
 */
export async function eventually(sentence, ask, within = A_WHILE) {
  const began = performance.now();
  for (;;) {
    let trouble = "";
    try {
      const answer = await ask();
      const took = Math.round(performance.now() - began);
      if (answer !== false && answer !== undefined) return { answer, took };
    } catch (error) {
      trouble = `: ${error instanceof Error ? error.message : error}`;
    }
    if (performance.now() - began > within) {
      throw new Error(`not within ${within} ms: ${sentence}${trouble}`);
    }
    await pause(25);
  }
}

/**
 * The same promise, but not for ever.
 * @template T
 * @param {number} ms
 * @param {string} what for the message
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
export function atMost(ms, what, promise) {
  /** @type {NodeJS.Timeout | undefined} */
  let late;
  const limit = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`${what}: not within ${ms} ms`)), ms);
  });
  return /** @type {Promise<T>} */ (
    Promise.race([promise, limit]).finally(() => clearTimeout(late))
  );
}
