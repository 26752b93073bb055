// No password has the school's mascot in it.

let words = [];

export const lifecycle = {
  describe: () => ({
    name: "no_mascot",
    version: "1.0.0",
    summary: "No password has the school's mascot in it.",
  }),

  // What is thrown is told to the operator.
  configure(settings) {
    const set = settings.find(({ name }) => name === "words")?.value ?? "";
    words = set.split(",").map((word) => word.trim().toLowerCase()).filter(Boolean);
    if (words.length === 0) throw "say which words: --set words=tiger,tigers";
  },
};

export const passwordRule = {
  requirements: (language) => [
    {
      code: "no_mascot",
      text: language === "es" ? "Sin la mascota de la escuela" : "Not our school's mascot",
    },
  ],

  // An exception here is no verdict, and without a verdict no password is taken.
  check(candidate) {
    const small = candidate.toLowerCase();
    return words.some((word) => small.includes(word))
      ? { tag: "breaks", val: ["no_mascot"] }
      : { tag: "meets" };
  },
};
