// A rule that goes wrong in whatever way its candidate says.

export const lifecycle = {
  describe: () => ({ name: "throws", version: "1.0.0", summary: "Goes wrong." }),
  configure() {},
};

export const passwordRule = {
  requirements: () => [{ code: "good", text: "Nothing that goes wrong" }],
  check(candidate) {
    switch (candidate) {
      case "error":
        throw new Error("with a message");
      case "string":
        throw candidate;
      case "nothing":
        return undefined;
      case "empty":
        return { tag: "breaks", val: [] };
      case "shape":
        return { tag: "maybe" };
      case "endless":
        for (;;);
      default:
        return { tag: "meets" };
    }
  },
};
