/* No password has the school's mascot in it: a password rule in C, without a library.
 *
 * The functions below are the canonical ABI of the world `password-policy` of narthex:portal. Strings and
 * lists are a pointer and a length; what is returned lies where a pointer says. Each call has an
 * instance of its own, so memory is given out and never taken back. */

typedef unsigned int u32;
typedef unsigned char u8;
typedef struct { const char *at; u32 length; } text;

#define EXPORT(name) __attribute__((export_name("narthex:portal/" name)))
#define TEXT(literal) ((text){literal, sizeof(literal) - 1})

/* Room for what the host puts in: settings and a candidate. */
static u8 room[96 * 1024];
static u32 taken;

__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, u32 old_length, u32 align, u32 length) {
    u32 at = (taken + align - 1) & ~(align - 1);
    (void)old;
    (void)old_length;
    if (at > sizeof room || length > sizeof room - at) __builtin_trap();
    taken = at + length;
    return room + at;
}

EXPORT("lifecycle@0.1.0#describe")
const text *describe(void) {
    static text told[3];
    told[0] = TEXT("no_mascot");
    told[1] = TEXT("1.0.0");
    told[2] = TEXT("No password has the school's mascot in it.");
    return told;
}

static text words;

static int same(text a, text b) {
    if (a.length != b.length) return 0;
    for (u32 i = 0; i < a.length; i++)
        if (a.at[i] != b.at[i]) return 0;
    return 1;
}

typedef struct { text name, value; } setting;
typedef struct { u8 is_error; text why; } outcome;

EXPORT("lifecycle@0.1.0#configure")
const outcome *configure(const setting *settings, u32 count) {
    static outcome told;
    for (u32 i = 0; i < count; i++)
        if (same(settings[i].name, TEXT("words"))) words = settings[i].value;
    told.is_error = words.length == 0;
    told.why = TEXT("say which words: --set words=tiger,tigers");
    return &told;
}

typedef struct { text code, text; } requirement;
typedef struct { const requirement *at; u32 length; } requirements;

EXPORT("password-rule@0.1.0#requirements")
const requirements *stated(const char *language, u32 length) {
    static requirement one;
    static requirements list;
    one.code = TEXT("no_mascot");
    one.text = same((text){language, length}, TEXT("es"))
        ? TEXT("Sin la mascota de la escuela")
        : TEXT("Not our school's mascot");
    list.at = &one;
    list.length = 1;
    return &list;
}

static char small(char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; }

static int has(text candidate, text word) {
    if (word.length == 0) return 0;
    for (u32 from = 0; from + word.length <= candidate.length; from++) {
        u32 i = 0;
        while (i < word.length && small(candidate.at[from + i]) == small(word.at[i])) i++;
        if (i == word.length) return 1;
    }
    return 0;
}

typedef struct { u8 breaks; const text *codes; u32 count; } verdict;

EXPORT("password-rule@0.1.0#check")
const verdict *check(const char *at, u32 length) {
    static text code;
    static verdict told;
    u32 from = 0;
    code = TEXT("no_mascot");
    told.codes = &code;
    told.count = 1;
    for (u32 i = 0; i <= words.length; i++) {
        if (i < words.length && words.at[i] != ',') continue;
        if (has((text){at, length}, (text){words.at + from, i - from})) told.breaks = 1;
        from = i + 1;
    }
    return &told;
}
