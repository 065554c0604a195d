#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""manifests.py NAME FILE: judge what kustomize has made of an overlay.

Each object has to be what its schema says: those of Kubernetes by the models of its
Python client, which are generated from its OpenAPI, and with no field that they don't
have; others by crd/KIND.yaml. Then, what no schema tells: names that refer to another
object find it, selectors find their pods, words are those that there are, and nothing
has more rights than it is known to need. Prints a line for each fault.
"""
import os
import re
import sys

import jsonschema
import kubernetes.client
import yaml

TREE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Fields whose words the models don't know.
WORDS = {
    "accessModes": {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
    "externalTrafficPolicy": {"Local", "Cluster"},
    "imagePullPolicy": {"Always", "Never", "IfNotPresent"},
    "ipFamilyPolicy": {"SingleStack", "PreferDualStack", "RequireDualStack"},
    "podManagementPolicy": {"Parallel", "OrderedReady"},
    "policyTypes": {"Ingress", "Egress"},
    "protocol": {"UDP", "TCP", "SCTP"},
    "sessionAffinity": {"None", "ClientIP"},
    "whenUnsatisfiable": {"DoNotSchedule", "ScheduleAnyway"},
}
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([KMGTPE]i|[numkMGTPE])?$")
# Containers that may be privileged.
PRIVILEGED = {"forwarding", "loader"}


class Faults:
    """What is wrong, each with the object and the field."""

    def __init__(self, overlay):
        self.overlay, self.count = overlay, 0

    def add(self, where, text):
        self.count += 1
        print(f"deploy/kubernetes/overlays/{self.overlay}: {where}: {text}")


def name_of(item):
    return f"{item.get('kind')} {item.get('metadata', {}).get('name')}"


def check_scalar(faults, where, kind, value):
    kinds = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object,
             "datetime": str}
    if not isinstance(value, kinds[kind]) or (kind == "int" and isinstance(value, bool)):
        faults.add(where, f"{value!r} is no {kind}")
    last = where.rsplit(".", 1)[-1]
    if last in WORDS and value not in WORDS[last]:
        faults.add(where, f"'{value}' is not one of {', '.join(sorted(WORDS[last]))}")


def check_value(faults, where, kind, value):
    """Returns it as the models want it."""
    of_list, of_map = re.match(r"list\[(.*)\]$", kind), re.match(r"dict\(str, (.*)\)$", kind)
    if of_list:
        if isinstance(value, list):
            return [check_value(faults, where, of_list[1], each) for each in value]
        faults.add(where, "is no list")
    elif of_map:
        if isinstance(value, dict):
            return {key: check_value(faults, f"{where}.{key}", of_map[1], each)
                    for key, each in value.items()}
        faults.add(where, "is no map")
    elif hasattr(kubernetes.client, kind):
        return check_model(faults, where, getattr(kubernetes.client, kind), value)
    else:
        check_scalar(faults, where, kind, value)
    return value


def check_model(faults, where, model, value):
    if not isinstance(value, dict):
        faults.add(where, f"{value!r} is no map of {model.__name__}")
        return None
    by_name = {name: attribute for attribute, name in model.attribute_map.items()}
    given = {}
    for key, each in value.items():
        if key not in by_name:
            faults.add(f"{where}.{key}", f"there is no such field of {model.__name__}")
        else:
            given[by_name[key]] = check_value(faults, f"{where}.{key}",
                                              model.openapi_types[by_name[key]], each)
    try:
        return model(**given)
    except ValueError as error:
        faults.add(where, str(error))
    return None


def check_schema(faults, item):
    group, _, version = item.get("apiVersion", "").rpartition("/")
    file = os.path.join(TREE, "selftests/lint/crd", str(item.get("kind")).lower() + ".yaml")
    if os.path.exists(file):
        with open(file, encoding="utf-8") as text:
            validator = jsonschema.Draft7Validator(yaml.safe_load(text))
        for error in validator.iter_errors(item):
            faults.add(name_of(item), f"{'.'.join(map(str, error.path))}: {error.message}")
        return
    model = getattr(kubernetes.client, version.capitalize() + str(item.get("kind")), None)
    if model is None or group not in ("", "apps", "policy", "networking.k8s.io"):
        faults.add(name_of(item), f"no schema is known of {item.get('apiVersion')}")
    else:
        check_model(faults, name_of(item), model, item)


def every(value, key):
    """All values under that key, wherever it stands."""
    if isinstance(value, dict):
        for name, each in value.items():
            if name == key:
                yield each
            yield from every(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from every(each, key)


def by_kind(items, *kinds):
    return [item for item in items if item.get("kind") in kinds]


def pods(items):
    return [(item, item["spec"]["template"]) for item in by_kind(items, "StatefulSet", "DaemonSet")]


def matches(labels, item):
    return labels.items() <= item["metadata"].get("labels", {}).items()


def check_selectors(faults, items):
    templates = [template for _, template in pods(items)]
    for item in by_kind(items, "StatefulSet", "DaemonSet", "PodDisruptionBudget", "Service"):
        labels = item["spec"]["selector"]
        labels = labels.get("matchLabels", labels)
        if not any(matches(labels, template) for template in templates):
            faults.add(name_of(item), "its selector finds no pod")
    for item in by_kind(items, "NetworkPolicy"):
        if not any(matches(item["spec"]["podSelector"]["matchLabels"], t) for t in templates):
            faults.add(name_of(item), "its selector finds no pod")
    for item in by_kind(items, "ServiceMonitor"):
        found = [service for service in by_kind(items, "Service")
                 if matches(item["spec"]["selector"]["matchLabels"], service)]
        ports = {port["name"] for service in found for port in service["spec"]["ports"]}
        if not {end["port"] for end in item["spec"]["endpoints"]} <= ports:
            faults.add(name_of(item), "no service that it selects has that port")


def check_ports(faults, items):
    known = {(port["name"], port["protocol"]) for _, template in pods(items)
             for container in template["spec"]["containers"]
             for port in container.get("ports", [])}
    for service in by_kind(items, "Service"):
        for port in service["spec"]["ports"]:
            if (port["targetPort"], port["protocol"]) not in known:
                faults.add(name_of(service), f"no container has the port {port['targetPort']}")
    for policy in by_kind(items, "NetworkPolicy"):
        for port in [port for ports in every(policy, "ports") for port in ports]:
            if (port["port"], port["protocol"]) not in known:
                faults.add(name_of(policy), f"no container has the port {port['port']}")
    for item, template in pods(items):
        for probe in every(template, "httpGet"):
            if (probe["port"], "TCP") not in known:
                faults.add(name_of(item), f"a probe asks port {probe['port']}, which there is not")


def check_names(faults, items):
    for item in items:
        for kind, key in (("ConfigMap", "configMap"), ("Secret", "secret"),
                          ("ConfigMap", "dockerfileConfigMap")):
            for each in every(item, key):
                if isinstance(each, dict) and "name" in each and each["name"] not in [
                        other["metadata"]["name"] for other in by_kind(items, kind)]:
                    faults.add(name_of(item), f"there is no {kind} '{each['name']}'")
        for each in every(item, "serviceName"):
            if each not in [other["metadata"]["name"] for other in by_kind(items, "Service")]:
                faults.add(name_of(item), f"there is no Service '{each}'")
    names = [(name_of(item), item["metadata"].get("namespace")) for item in items]
    for name in {name for name in names if names.count(name) > 1}:
        faults.add(name[0], "is there twice")
    for item in items:
        if item["kind"] != "Namespace" and item["metadata"].get("namespace") != "vpn":
            faults.add(name_of(item), "is not in the namespace 'vpn'")


def check_mounts(faults, items):
    for item, template in pods(items):
        volumes = {volume["name"] for volume in template["spec"].get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in
                    item["spec"].get("volumeClaimTemplates", [])}
        used = {mount["name"] for mounts in every(template, "volumeMounts") for mount in mounts}
        for name in used ^ volumes:
            faults.add(name_of(item), f"the volume '{name}' is mounted and not there, or there and not mounted")


def check_rights(faults, items):
    for item, template in pods(items):
        spec = template["spec"]
        for container in spec["containers"] + spec.get("initContainers", []):
            rights, where = container.get("securityContext", {}), f"{name_of(item)} {container['name']}"
            if container["name"] in PRIVILEGED:
                continue
            if rights.get("privileged") or rights.get("capabilities") != {
                    "drop": ["ALL"], "add": ["NET_ADMIN"]}:
                faults.add(where, "has other rights than NET_ADMIN")
            if not rights.get("readOnlyRootFilesystem") or not spec["securityContext"].get("runAsNonRoot"):
                faults.add(where, "runs as root, or can write to its image")


def check_images(faults, items):
    with open(os.path.join(TREE, "VERSION"), encoding="utf-8") as file:
        version = file.read().strip()
    images = [image for item in items for image in every(item, "image")]
    images += [arg["value"] for item in items for args in every(item, "buildArgs") for arg in args]
    for image in images:
        if not image.endswith(":" + version):
            faults.add(image, f"is not of this version, {version}")


def check_quantities(faults, items):
    for item in items:
        for key in ("limits", "requests"):
            for map_ in every(item, key):
                for name, value in map_.items():
                    if not QUANTITY.match(str(value)):
                        faults.add(name_of(item), f"{key}.{name}: '{value}' is no quantity")


def check_slices(faults, items):
    """There are as many slices as there are replicas, or more."""
    for item in by_kind(items, "StatefulSet"):
        file = next(each["data"]["gateway.toml"] for each in by_kind(items, "ConfigMap")
                    if "gateway.toml" in each["data"])
        slices = re.search(r'^pool_slice = "hostname/([0-9]+)"$', file, re.M)
        if not slices or int(slices[1]) < item["spec"]["replicas"]:
            faults.add(name_of(item), "there are more replicas than slices: pool_slice in gateway.toml")


def main():
    overlay, path = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        items = list(yaml.safe_load_all(file))
    faults = Faults(overlay)
    for item in items:
        check_schema(faults, item)
    if not by_kind(items, "StatefulSet"):
        faults.add("all of it", "has no StatefulSet")
    # What follows takes for granted that objects are what they should be.
    if not faults.count:
        for check in (check_selectors, check_ports, check_names, check_mounts, check_rights,
                      check_images, check_quantities, check_slices):
            check(faults, items)
    return 1 if faults.count else 0


if __name__ == "__main__":
    sys.exit(main())
