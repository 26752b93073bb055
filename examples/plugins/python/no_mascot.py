"""No password has the school's mascot in it."""

from componentize_py_types import Err

from wit_world import exports
from wit_world.exports.lifecycle import Description
from wit_world.exports.password_rule import Requirement, Verdict_Breaks, Verdict_Meets

words: list[str] = []


class Lifecycle(exports.Lifecycle):
    def describe(self):
        return Description("no_mascot", "1.0.0", "No password has the school's mascot in it.")

    def configure(self, settings):
        global words
        given = next((one.value for one in settings if one.name == "words"), "")
        words = [word.strip().lower() for word in given.split(",") if word.strip()]
        if not words:
            # Told to the operator.
            raise Err("say which words: --set words=tiger,tigers")


class PasswordRule(exports.PasswordRule):
    def requirements(self, language):
        spanish, english = "Sin la mascota de la escuela", "Not our school's mascot"
        return [Requirement("no_mascot", spanish if language == "es" else english)]

    def check(self, candidate):
        # An exception here is no verdict, and without a verdict no password is taken.
        small = candidate.lower()
        if any(word in small for word in words):
            return Verdict_Breaks(["no_mascot"])
        return Verdict_Meets()
