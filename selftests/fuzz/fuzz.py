#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fuzz.py [--target NAME] [--runs N | --grow [SECONDS] | --proof]: what
selftests/fuzz/run runs, in the tree, with /tmp/scratch to write to.
"""

import concurrent.futures
import glob
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, "selftests")
# pylint: disable=wrong-import-position
from protocol import tlv
from protocol.messages import Malformed

HERE = "selftests/fuzz"
SCRATCH = "/tmp/scratch"
PLACES = ("initiation", "response", "control")
COMPARED = 20000        # inputs

# The longest input of each target, how many a short run makes of its corpus, the
# sources under test, libraries, and those whose quoted words are its dictionary.
LIBVPN = ("tools/libvpn/*.c",)
LIBCRED = LIBVPN + ("tools/libcred/verdict.c", "tools/libcred/base64url.c")
SETTINGS_WORDS = ("tools/vpnctl/settings.c", "tools/vpnctl/settings_v1.c")
SETTINGS = LIBVPN + SETTINGS_WORDS + tuple(f"tools/vpnctl/{name}.c" for name in (
    "parse", "complain", "moment", "units", "credential", "endpoint", "devices"))
TARGETS = {
    "tlv": (4100, 200000, None, (), ()),
    "header": (6, 50000, None, (), ()),
    "x509": (3600, 4000, LIBCRED, ("libmnl", "libcrypto"), ()),
    "token": (2000, 20000, LIBCRED, ("libmnl", "libcrypto", "libjwt", "jansson"),
              ("tools/libcred/token.c",)),
    "toml": (1500, 5000,
             LIBCRED + tuple(f"tools/vpnd/{name}" for name in (
                 "config.c", "value.c", "schema.c", "rules.c", "slice.c", "toml.cpp")) +
             ("tools/libcred/token.c",),
             ("libmnl", "libcrypto", "libjwt", "jansson"), ("tools/vpnd/schema.c",)),
    "conf": (1000, 20000, SETTINGS + ("tools/vpnctl/config.c",), ("libmnl", "libcrypto"),
             SETTINGS_WORDS),
    "set": (600, 10000, SETTINGS + ("tools/vpnctl/set.c",), ("libmnl", "libcrypto"),
            SETTINGS_WORDS),
    "import": (1000, 5000,
               LIBVPN + ("tools/vpnd/toml.cpp",) + tuple(f"tools/vpnctl/{name}.c" for name in (
                   "import", "parse", "complain", "secret", "qr", "units", "endpoint")),
               ("libmnl", "libcrypto"), ("tools/vpnctl/import.c",)),
}

# Mistakes that have to be found, and the target that finds them.
MISTAKES = (
    ("tlv", "module/tlv.c", "if (tlv.len > len - TLV_HEADER)", "if (tlv.len > len)"),
    ("tlv", "module/tlv.c", "if (len < TLV_HEADER)", "if (len < TLV_HEADER - 1)"),
    ("tlv", "module/tlv.c", "if (*count >= max || !is_ip_len(tlv->len))",
     "if (*count > max || !is_ip_len(tlv->len))"),
    ("tlv", "module/tlv.c", "if (len > max || !is_text(value, len))",
     "if (len > max + 1 || !is_text(value, len))"),
    ("tlv", "module/tlv.c", "*s < 0x20 || *s == 0x7f", "*s < 0x20"),
    ("tlv", "module/tlv.c", "if (len < n)", "if (!len)"),
    ("tlv", "module/tlv.c", "tlv->value[0] > (tlv->len - 1) * 8", "0"),
    ("tlv", "module/tlv.c", "writer->room -= TLV_HEADER + len;",
     "writer->room -= len;"),
    ("compare", "module/tlv.c", "c < least[n] || ", ""),
    ("compare", "module/tlv.c", "return is_zero(at, len) ? result : -EBADMSG;",
     "return result;"),
    ("header", "module/messages.h", "len <= VPN_V1_INITIATION_MAX",
     "len < VPN_V1_INITIATION_MAX"),
    ("header", "module/messages.h", "return !flags && len ==", "return len =="),
    ("header", "module/messages.h", "header->version ? VPN_DATA_CONTROL : 0",
     "VPN_DATA_CONTROL"),
    ("x509", "tools/libcred/verdict.c", "if (!text_is_name(copy))", "if (0)"),
    ("x509", "tools/libcred/x509.c", "if (!check_key(j, key) || !check_usage(j, usage))",
     "if (!check_usage(j, usage))"),
    ("token", "tools/libcred/base64url.c", "if (used == room)", "if (used > room)"),
    ("token", "tools/libcred/token.c", "!(number >= 1 && number <= LAST_SECOND)", "0"),
    ("token", "tools/libcred/token.c", "json_decref(token->claims);", ""),
    ("toml", "tools/vpnd/value.c", "free(", "(void)("),
    ("conf", "tools/vpnctl/settings.c", "tdestroy(b->prefixes, free);", ""),
    ("set", "tools/vpnctl/settings.c", "tdestroy(b->prefixes, free);", ""),
    ("import", "tools/vpnctl/import.c", "if (!is_utf8(line))", "if (0)"),
    ("import", "tools/vpnctl/import.c", "hex ? 16 : 10", "0"),
)

results = {True: 0, False: 0}


def point(text, good, *why):
    results[good] += 1
    for line in () if good else why:
        print("       " + line)
    print(f"{'ok    ' if good else 'not ok'} {text}", flush=True)
    return good


def run(*command, **options):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False,
                          errors="replace", **options)


# Building.

def empty_headers():
    """For headers that userspace has not: kernel.h has what is needed of them."""
    where = f"{SCRATCH}/include"
    for name in glob.glob("module/*.[ch]"):
        with open(name, encoding="utf-8") as file:
            for header in re.findall(r"^#include <(linux/[^>]*)>", file.read(), re.M):
                os.makedirs(os.path.dirname(f"{where}/{header}"), exist_ok=True)
                with open(f"{where}/{header}", "w", encoding="ascii"):
                    pass
    return where


def flags_of(packages):
    result = run("pkg-config", "--libs", *packages)
    return result.stdout.split()


def build(output, target, *options, tree="."):
    """A target of the module's parsers."""
    sources = [f"{tree}/{HERE}/{target}.c"]
    if target == "tlv":
        sources.append(f"{tree}/module/tlv.c")
    return run("clang", "-std=gnu2x", "-O1", "-g", "-Wall", "-Werror",
               "-Wno-unused" if tree != "." else "-Wunused",    # in mistakes it is
               "-fno-sanitize-recover=all", "-include", f"{tree}/{HERE}/kernel.h",
               "-idirafter", empty_headers(), "-I", tree, *options, *sources, "-o", output)


def compile_tool(tree, source, *options):
    """What was compiled, and the object."""
    made = f"{SCRATCH}/objects/{source}.o".replace("/./", "/")
    os.makedirs(os.path.dirname(made), exist_ok=True)
    # What toml++ says can't be reached is, with the first letter that is not of ASCII.
    language = ["clang++", "-std=c++17"] if source.endswith(".cpp") else ["clang", "-std=gnu11"]
    options += ("-fno-sanitize=unreachable",) if source.endswith(".cpp") else ()
    result = run(*language, "-O1", "-g", "-w", "-D_GNU_SOURCE", "-DHAVE_JWT", "-DHAVE_AUTH",
                 f'-DCORPUS="{os.getcwd()}/{HERE}/corpus"', f"-I{tree}/uapi",
                 "-fno-sanitize-recover=all",
                 "-fsanitize=fuzzer-no-link,address,undefined,float-cast-overflow", *options,
                 "-include", f"{tree}/{HERE}/tools.h", "-c", f"{tree}/{source}", "-o", made)
    return result.stdout if result.returncode else "", made


def build_tools(targets, tree):
    """Targets of the tools' parsers, which share objects."""
    sources = {source for target in targets for pattern in TARGETS[target][2]
               for source in glob.glob(pattern)}
    jobs = [(source,) for source in sorted(sources, key=lambda name: not name.endswith("cpp"))]
    jobs += [(f"{HERE}/{target}.c", "-DFUZZ_TARGET") for target in targets]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(lambda job: compile_tool(tree, *job), jobs))
    said = "".join(words for words, _ in made)
    if said:
        return said
    objects = dict(zip((job[0] for job in jobs), (name for _, name in made)))
    for target in targets:
        own = sorted(objects[source] for pattern in TARGETS[target][2]
                     for source in glob.glob(pattern))
        archive = f"{SCRATCH}/objects/{target}.a"
        run("rm", "-f", archive)
        run("ar", "rcs", archive, *own)
        result = run("clang++", "-fsanitize=fuzzer,address,undefined",
                     objects[f"{HERE}/{target}.c"], archive, *flags_of(TARGETS[target][3]),
                     "-o", f"{SCRATCH}/bin/{target}")
        if result.returncode:
            return result.stdout
    return ""


def build_all(targets, tree="."):
    """What compilers said."""
    where = f"{SCRATCH}/bin"
    os.makedirs(where, exist_ok=True)
    for target in targets:
        if TARGETS[target][2]:
            continue
        result = build(f"{where}/{target}", target,
                       "-fsanitize=fuzzer,address,undefined", tree=tree)
        if result.returncode:
            return result.stdout
    said = build_tools([target for target in targets if TARGETS[target][2]], tree)
    if said or "tlv" not in targets:
        return said
    return build(f"{where}/print", "tlv", "-fsanitize=address,undefined",
                 "-DTLV_PRINT", tree=tree).stdout


# Inputs. In the tree they are in hexadecimal, one a line.

# As 'vpnctl setconf' reads them; the keys are nobody's.
KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
CONFS = (
    f"[Interface]\nPrivateKey = {KEY}\nListenPort = 51820\nFwMark = 0x10\n\n"
    f"[Peer] # one\nPublicKey = {KEY}\nPresharedKey = {KEY}\n"
    "AllowedIPs = 10.0.0.0/8, 2001:db8::/32\nAllowedIPs = -10.1.0.0/16\n"
    "Endpoint = [2001:db8::1]:51820\nPersistentKeepalive = 25\n",
    f"[Peer]\nPublicKey={KEY}\nName = phone\nAddress = auto\nCipher = aes-256-gcm\n"
    "Endpoint = 192.0.2.1:1\nExpires = 2027-01-01\n[Peer]\n",
    "[Interface]\nHostName = server\nMaxPeers = 10\nPushDNS = 192.0.2.1\n"
    "PushRoutes = 10.0.0.0/8\nPushMTU = 1400\nPushKeepalive = 25\n",
)

# As 'vpnctl set' takes them.
SETS = (
    f"listen-port 51820 fwmark 0x10 peer {KEY} allowed-ips 10.0.0.0/8,2001:db8::/32 "
    "endpoint [2001:db8::1]:51820 persistent-keepalive 25 name phone",
    f"host-name server max-peers 10 peer {KEY} address auto cipher aes-256-gcm expires "
    "2027-01-01 push-dns 192.0.2.1 push-routes 10.0.0.0/8 push-mtu 1400",
    f"peer {KEY} remove",
    f"peer {KEY} allowed-ips +10.0.0.0/8,-10.1.0.0/16 endpoint 192.0.2.1:1",
)

# As wg-quick reads them.
QUICKS = (
    f"[Interface]\nPrivateKey = {KEY}\nAddress = 10.0.0.2/24, fd00::2/64\n"
    "DNS = 10.0.0.1, example.com\nMTU = 1420\nPostUp = echo %i\nPreDown = true\n\n"
    f"[Peer]\nPublicKey = {KEY}\nPresharedKey = {KEY}\nAllowedIPs = 0.0.0.0/0, ::/0\n"
    "Endpoint = vpn.example.com:51820\nPersistentKeepalive = 25\n",
    f"[Interface]\nPrivateKey = {KEY}\nAddress = 10.0.0.1/24\nListenPort = 51820\n"
    f"Table = off\nFwMark = 0x10\nSaveConfig = true\n[Peer]\n# name = phone \"1\"\n"
    f"PublicKey = {KEY}\nAllowedIPs = 10.0.0.3/32\n[Peer] # two\nPublicKey = {KEY}\n"
    "AllowedIPs = 10.0.0.4/32\n",
)


def vectors():
    """The lists of selftests/vectors, with the octet in front that says of what."""
    with open("selftests/vectors/tlvs.json", encoding="utf-8") as file:
        for vector in json.load(file):
            yield bytes([PLACES.index(vector["place"])]) + bytes.fromhex(vector["octets"])


def edges():
    """Headers, at the edges of the lengths."""
    for version, kind, lengths in ((0, 1, (148,)), (0, 2, (92,)), (0, 3, (64,)),
                                   (1, 1, (1200, 4096)), (1, 2, (140, 188, 1196)),
                                   (1, 3, (64,)), (2, 1, (148,)), (0, 4, (32,)),
                                   (1, 4, (32, 1500))):
        for length in lengths:
            for off in -1, 0, 1:
                for flags in 0, 1, 2:
                    yield (bytes([kind, version, flags, 0]) +
                           (length + off).to_bytes(2, "big"))


def tokens():
    """Headers and claims, good ones and such as nearly are."""
    headers = [{"alg": alg, "kid": kid, "typ": "JWT"} for alg, kid in (
        ("HS256", "s"), ("EdDSA", "d"), ("ES256", "e"), ("RS256", "r"), ("none", "s"))]
    headers += [{"alg": "HS256"}, {"alg": "EdDSA", "kid": "d", "crit": ["x"]},
                {"alg": "ES256", "kid": "e", "typ": "at+jwt"}]
    key = {"jwk": {"kty": "OKP", "crv": "X25519",
                   "x": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}}
    claims = [{"sub": "alice", "exp": 1900000000, "iat": 1700000000, "jti": "1", "role": "staff",
               "iss": "issuer", "aud": "audience", "cnf": key},
              {"sub": "alice", "exp": 1900000000, "aud": ["other", "audience"]},
              {"sub": "alice", "exp": 1700000000}, {"sub": "alice", "exp": 1.9e9},
              {"sub": "alice", "exp": 1900000000, "nbf": 1900000000},
              {"sub": "alice", "exp": 1e300}, {"sub": "alice", "exp": 1900000000, "nbf": -1e300},
              {"sub": "alice", "exp": 1900000000, "cnf": {"jwk": dict(key["jwk"], x="A" * 44)}},
              {"sub": "alice\u0000", "exp": 1900000000}, {"sub": 1, "exp": "never"}]
    for first, (header, claim) in itertools.product(
            (128, 131, 212, 216), itertools.product(headers, claims)):
        yield bytes([first]) + f"{json.dumps(header)}\n{json.dumps(claim)}".encode()


def texts(names, fence, first):
    """Whole files, and examples in documents, each by the first line that it may have."""
    for name in names:
        with open(name, encoding="utf-8") as file:
            text = file.read()
        if not name.endswith(".md"):
            yield text.encode()
            continue
        for block in re.findall(rf"^```(?:{fence})?\n(.*?)^```", text, re.M | re.S):
            if re.match(first, block.lstrip()):
                yield block.encode()


def made(target):
    """Inputs that are not kept in the corpus, because they can be made."""
    match target:
        case "tlv":
            return vectors()
        case "header":
            return edges()
        case "token":
            return tokens()
        case "toml":
            return texts(glob.glob("deploy/examples/*.toml") + glob.glob("Documentation/*.md"),
                         "toml", r"\[")
        case "conf":
            return (text.encode() for text in CONFS)
        case "set":
            return ("\n".join(words.split()).encode() for words in SETS)
        case "import":
            return (text.encode() for text in QUICKS)
    return ()


def corpus(target):
    with open(f"{HERE}/corpus/{target}.hex", encoding="ascii") as file:
        kept = [bytes.fromhex(line) for line in file if not line.startswith("#")]
    inputs = kept + list(made(target))
    # Without one, libFuzzer would begin with nothing, and not end.
    return inputs or [b"\n"]


def dictionary(target):
    """Words of the grammar, from the source that has it."""
    name = f"{SCRATCH}/{target}.dict"
    words = set()
    for source in TARGETS[target][4]:
        with open(source, encoding="utf-8") as file:
            words |= set(re.findall(r'"([A-Za-z0-9_-]{2,30})"', file.read()))
    with open(name, "w", encoding="ascii") as file:
        file.writelines(f'"{word}"\n' for word in sorted(words))
    return [f"-dict={name}"] if words else []


def unpack(target):
    where = f"{SCRATCH}/{target}"
    shutil.rmtree(where, ignore_errors=True)
    os.makedirs(where)
    for number, data in enumerate(corpus(target)):
        with open(f"{where}/{number}", "wb") as file:
            file.write(data)
    return where


# Running.

def last_words(result):
    """What a sanitizer or a check said, and the input."""
    lines = result.stdout.splitlines()
    said = [line for line in lines
            if re.search(r"not true|ERROR|runtime error|taken|^ +#[0-4] ", line)][:8]
    said += [line for line in lines if re.match("Base64|terminate|  what|.*ssert", line)][:4]
    return said or lines[-10:]


def fuzz(target, where, limit):
    """limit: an option of libFuzzer that says how long."""
    return run(f"{SCRATCH}/bin/{target}", f"-max_len={TARGETS[target][0]}", "-timeout=60",
               limit, "-print_final_stats=1", *dictionary(target), where, cwd=SCRATCH)


def executed(result):
    found = re.search(r"number_of_executed_units: (\d+)", result.stdout)
    return int(found[1]) if found else 0


def replay(target, where):
    return run(f"{SCRATCH}/bin/{target}", "-timeout=60",
               *sorted(glob.glob(f"{where}/*")), cwd=SCRATCH)


# The parser in Python.

def in_python(data):
    place = PLACES[data[0] % 3]
    try:
        tlvs = tlv.read(data[1:], tlv.PLACES[place])
    except tlv.CriticalUnknown:
        return "critical" if place == "initiation" else "malformed"
    except Malformed:
        return "malformed"
    tlvs.sort(key=lambda one: one.kind)
    return " ".join(["read"] + [f"{one.kind}={tlv.octets(*one[:2]).hex()}"
                                for one in tlvs])


def mutate(data, others, dice):
    """Some changes at random."""
    data = bytearray(data)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(6):
            case 0:
                data[at:at + 1] = [dice.randrange(256)]
            case 1:
                data[at:at + 1] = [dice.choice((0, 1, 2, 4, 5, 16, 17, 0x7f, 0x80, 255))]
            case 2:
                data[at:at] = dice.randbytes(dice.randint(1, 5))
            case 3:
                del data[at:at + dice.randint(1, 5)]
            case 4:
                data[at:] = dice.choice(others)[1:]
            case 5:
                data[at:at] = dice.choice(others)[1:]
    return bytes(data[:4100]) or b"\0"


def compare():
    """Inputs that C and Python do not agree on."""
    seed = random.SystemRandom().randrange(1 << 32)
    dice = random.Random(seed)
    inputs = seeds = [data for data in corpus("tlv") if data]
    inputs = seeds + [mutate(dice.choice(seeds), seeds, dice) for _ in range(COMPARED)]
    result = subprocess.run([f"{SCRATCH}/bin/print"], text=True, check=False,
                            input="".join(data.hex() + "\n" for data in inputs),
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    lines = result.stdout.splitlines()
    if result.returncode or len(lines) != len(inputs):
        return [f"exit status {result.returncode}", *lines[-10:]]
    for data, in_c in zip(inputs, lines):
        wanted = in_python(data)
        if wanted != (in_c if wanted != "critical" else in_c.split(" ")[0]):
            return [f"input {data.hex()}", f"C:      {in_c}", f"Python: {wanted}"]
    return []


# What is asked for.

def whole(targets, limit):
    """limit: executions, or an option of libFuzzer."""
    said = build_all(targets)
    if not point("the parsers compile for userspace", not said, *said.splitlines()[:40]):
        return
    for target in targets:
        where = unpack(target)
        result = replay(target, where)
        if not point(f"{target}: what is in the corpus", result.returncode == 0,
                     *last_words(result)):
            continue
        result = fuzz(target, where, limit or f"-runs={TARGETS[target][1]}")
        point(f"{target}: {executed(result)} inputs that were made of it",
              result.returncode == 0 and executed(result) > 0, *last_words(result))
    if "tlv" in targets:
        differences = compare()
        point(f"{COMPARED} lists mean in C what they mean in Python", not differences,
              *differences)


def grow(targets, seconds):
    """Write a corpus that covers what was found, without what can be made."""
    whole(targets, f"-max_total_time={max(1, seconds // len(targets))}")
    os.makedirs(f"{SCRATCH}/corpus", exist_ok=True)
    for target in targets:
        found, least = f"{SCRATCH}/{target}", f"{SCRATCH}/{target}.least"
        os.makedirs(least, exist_ok=True)
        run(f"{SCRATCH}/bin/{target}", "-set_cover_merge=1", least, found, cwd=SCRATCH)
        known = set(made(target))
        kept = set()
        for name in glob.glob(f"{least}/*"):
            with open(name, "rb") as file:
                kept.add(file.read())
        with open(f"{SCRATCH}/corpus/{target}.hex", "w", encoding="ascii") as file:
            file.write("# SPDX-License-Identifier: GPL-2.0\n")
            for data in sorted(kept - known, key=lambda data: (len(data), data)):
                file.write(data.hex() + "\n")


def found(target):
    """Whether the mistake in the build is."""
    if target == "compare":
        return bool(compare())
    where = unpack(target)
    return replay(target, where).returncode != 0 or \
        fuzz(target, where, "-max_total_time=40").returncode != 0


def proof(targets):
    tree = f"{SCRATCH}/tree"
    for target, name, good, bad in MISTAKES:
        if {"compare": "tlv"}.get(target, target) not in targets:
            continue
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(".", tree, symlinks=True)
        with open(f"{tree}/{name}", "r+", encoding="utf-8") as file:
            text = file.read()
            file.seek(0)
            file.truncate()
            file.write(text.replace(good, bad, 1))
        said = build_all([{"compare": "tlv"}.get(target, target)], tree)
        point(f"{target} finds '{bad or 'nothing'}' for '{good}'",
              good in text and not said and found(target), *said.splitlines()[:40])


def main():
    words = sys.argv[1:]
    targets = list(TARGETS)
    if words[:1] == ["--target"]:
        targets = words[1].split(",")
        words = words[2:]
        wrong = [name for name in targets if name not in TARGETS]
        if wrong:
            print(f"no target '{wrong[0]}': there are {' '.join(TARGETS)}", file=sys.stderr)
            print("0 passed, 1 failed")
            sys.exit(2)
    if words[:1] == ["--proof"]:
        proof(targets)
    elif words[:1] == ["--grow"]:
        grow(targets, int(words[1]) if words[1:] else 60)
    elif words[:1] == ["--runs"]:
        whole(targets, f"-runs={words[1]}")
    else:
        whole(targets, None)
    print(f"{results[True]} passed, {results[False]} failed")
    sys.exit(0 if results[True] and not results[False] else 1)


if __name__ == "__main__":
    main()
