#!/usr/bin/env python3
"""Writes the other forms of the sample school from `oneroster-v1p2-98-users/`: the same people.

    python3 examples/rosters/derive.py

`oneroster-v1p1-98-users/`   OneRoster 1.1 bulk
`oneroster-v1p2-delta/`      a OneRoster 1.2 delta: one person married, one new, one moved, one gone
`csv-98-users/`              one plain CSV file, and the same as a German spreadsheet saves it
"""

import csv
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE / "oneroster-v1p2-98-users"
CHANGED = "2026-09-01T06:00:00.000Z"
FILES_1_1 = (
    "academicSessions categories classes classResources courses courseResources demographics"
    " enrollments lineItems orgs resources results users"
).split()
USERS_1_1 = (
    "sourcedId status dateLastModified enabledUser orgSourcedIds role username userIds givenName"
    " familyName middleName identifier email sms phone agentSourcedIds grades password"
).split()


def rows(name):
    with open(SOURCE / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(folder, name, columns, data, delimiter=","):
    (HERE / folder).mkdir(exist_ok=True)
    with open(HERE / folder / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, delimiter=delimiter, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(data)


def manifest(folder, version, files, present):
    data = [("manifest.version", "1.0"), ("oneroster.version", version)]
    data += [(f"file.{name}", present.get(name, "absent")) for name in files]
    data += [("source.systemName", "O365-EDU-Tools"), ("source.systemCode", "O365-EDU-Tools")]
    pairs = [{"propertyName": name, "value": value} for name, value in data]
    write(folder, "manifest.csv", ["propertyName", "value"], pairs)


users, roles, orgs, born = (rows(f"{n}.csv") for n in ("users", "roles", "orgs", "demographics"))
role_of = {role["userSourcedId"]: role for role in roles}
birthdate_of = {row["sourcedId"]: row["birthDate"] for row in born}
name_of = {org["sourcedId"]: org["name"] for org in orgs}

folder = "oneroster-v1p1-98-users"
manifest(folder, "1.1", FILES_1_1, {name: "bulk" for name in ("demographics", "orgs", "users")})
write(folder, "orgs.csv", list(orgs[0]), orgs)
write(folder, "demographics.csv", list(born[0]), born)
for user in users:
    user["orgSourcedIds"] = role_of[user["sourcedId"]]["orgSourcedId"]
    user["role"] = role_of[user["sourcedId"]]["role"]
write(folder, "users.csv", USERS_1_1, users)

folder = "oneroster-v1p2-delta"
columns = [name for name in users[0] if name not in ("orgSourcedIds", "role")]
changed = {"status": "active", "dateLastModified": CHANGED}
married = {**users[1], **changed, "familyName": "Stone"}
gone = {**users[2], **changed, "status": "tobedeleted"}
new = {**users[0], **changed, "sourcedId": "13999", "identifier": "13999", "username": "NBell",
       "givenName": "Nora", "familyName": "Bell", "middleName": ""}
write(folder, "users.csv", columns, [married, gone, new])
moved = role_of[users[3]["sourcedId"]]
other = "10002" if moved["orgSourcedId"] == "10001" else "10001"
write(folder, "roles.csv", list(roles[0]), [
    {**moved, **changed, "status": "tobedeleted"},
    {**moved, **changed, "sourcedId": moved["sourcedId"] + "-2", "orgSourcedId": other},
    {**role_of[users[0]["sourcedId"]], **changed, "sourcedId": "r-13999", "userSourcedId": "13999"},
])
write(folder, "demographics.csv", list(born[0]), [
    {**born[0], **changed, "sourcedId": "13999", "birthDate": "2001-03-14"},
])
files_1_2 = [row["propertyName"][5:] for row in rows("manifest.csv") if row["propertyName"].startswith("file.")]
manifest(folder, "1.2", files_1_2, {name: "delta" for name in ("users", "roles", "demographics")})

folder = "csv-98-users"
people = []
for user in users:
    year, month, day = (birthdate_of.get(user["sourcedId"]) or "--").split("-")
    people.append({
        "Student Number": user["identifier"],
        "First Name": user["givenName"],
        "Last Name": user["familyName"],
        "Date of Birth": year and f"{year}-{month}-{day}",
        "School": name_of[user["orgSourcedIds"]],
        "Role": user["role"],
        "Schülernummer": user["identifier"],
        "Vorname": user["givenName"],
        "Nachname": user["familyName"],
        "Geburtsdatum": year and f"{day}.{month}.{year}",
        "Schule": name_of[user["orgSourcedIds"]],
        "Rolle": user["role"],
    })
columns = list(people[0])
write(folder, "people.csv", columns[:6], people)
write(folder, "personen.csv", columns[6:], people, ";")
