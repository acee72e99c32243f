"""Elements of JMeter plans as XML, each with what a case is about."""

from __future__ import annotations

from plans.writing import collection, element, header, inner, text

PORT = "${__P(port)}"


def argument(name: str, value: str, *, encode: bool = False, equals: str = "=", media_type: str = "") -> str:
    return inner(
        name,
        "HTTPArgument",
        text("HTTPArgument.always_encode", str(encode).lower()),
        text("Argument.name", name),
        text("Argument.value", value),
        text("Argument.metadata", equals),
        *([text("HTTPArgument.content_type", media_type)] if media_type else []),
    )


def arguments(*items: str) -> str:
    return inner("HTTPsampler.Arguments", "Arguments", collection("Arguments.arguments", *items))


def request(path: str, *properties: str, below: str = "", name: str = "", kind: str = "HTTPSamplerProxy", **more: str):
    """An HTTP Request of the server of the case."""
    said = {"domain": "127.0.0.1", "port": PORT, "method": "GET", "use_keepalive": "true", "path": path} | more
    texts = [text(f"HTTPSampler.{key}", value) for key, value in said.items() if value is not None]
    return element(kind, name or path, *texts, *properties, below=below, gui="HttpTestSampleGui")


def raw(path: str, body: str, *properties: str, method: str = "POST", **more: str) -> str:
    return request(
        path,
        text("HTTPSampler.postBodyRaw", "true"),
        arguments(argument("", body)),
        *properties,
        method=method,
        **more,
    )


def files(*triples: tuple[str, str, str]) -> str:
    items = [
        inner(path, "HTTPFileArg", text("File.path", path), text("File.paramname", name), text("File.mimetype", kind))
        for path, name, kind in triples
    ]
    return inner("HTTPsampler.Files", "HTTPFileArgs", collection("HTTPFileArgs.files", *items))


def defaults(*properties: str, **more: str) -> str:
    texts = [text(f"HTTPSampler.{key}", value) for key, value in more.items()]
    return element("ConfigTestElement", "Defaults", *texts, *properties, gui="HttpDefaultsGui")


def header_manager(*pairs: tuple[str, str], **fields: str) -> str:
    named = [(name.replace("_", "-"), value) for name, value in fields.items()]
    items = [header(name, value) for name, value in (*pairs, *named)]
    return element("HeaderManager", "Headers", collection("HeaderManager.headers", *items), gui="HeaderPanel")


def cookie_manager(*cookies: str, policy: str = "standard", clear: str = "false") -> str:
    return element(
        "CookieManager",
        "Cookies",
        collection("CookieManager.cookies", *cookies),
        text("CookieManager.policy", policy),
        text("CookieManager.clearEachIteration", clear),
        gui="CookiePanel",
    )


def cache_manager(expires: str = "true", clear: str = "false", most: str = "5000") -> str:
    return element(
        "CacheManager",
        "Cache",
        text("useExpires", expires),
        text("clearEachIteration", clear),
        f'<intProp name="maxSize">{most}</intProp>',
        gui="CacheManagerGui",
    )


def cookie(name: str, value: str, path: str = "/", domain: str = "127.0.0.1") -> str:
    return (
        f'<elementProp name="{name}" elementType="Cookie" testname="{name}">'
        + text("Cookie.value", value)
        + text("Cookie.domain", domain)
        + text("Cookie.path", path)
        + '<boolProp name="Cookie.secure">false</boolProp><longProp name="Cookie.expires">0</longProp>'
        + '<boolProp name="Cookie.path_specified">true</boolProp>'
        + '<boolProp name="Cookie.domain_specified">true</boolProp>'
        + "</elementProp>"
    )


def authorization(url: str, user: str, password: str, mechanism: str = "BASIC", realm: str = "") -> str:
    return authorizations(login(url, user, password, mechanism, realm))


def authorizations(*entries: str) -> str:
    return element(
        "AuthManager", "Authorization", collection("AuthManager.auth_list", "".join(entries)), gui="AuthPanel"
    )


def login(url: str, user: str, password: str, mechanism: str = "BASIC", realm: str = "", domain: str = "") -> str:
    """An entry of an Authorization Manager."""
    return inner(
        "",
        "Authorization",
        text("Authorization.url", url),
        text("Authorization.username", user),
        text("Authorization.password", password),
        text("Authorization.domain", domain),
        text("Authorization.realm", realm),
        text("Authorization.mechanism", mechanism),
    )


def _texts(prefix: str, said: dict[str, str]) -> list[str]:
    return [text(f"{prefix}.{key}", value) for key, value in said.items()]


def regex(name: str, pattern: str, template: str = "$1$", match: str = "1", default: str = "NONE", **more: str) -> str:
    said = {"refname": name, "regex": pattern, "template": template, "match_number": match, "default": default}
    own = {key: more.pop(key) for key in ("useHeaders", "default_empty_value") if key in more}
    others = [text(key.replace("__", "."), value) for key, value in more.items()]
    return element("RegexExtractor", f"Take {name}", *_texts("RegexExtractor", said | own), *others)


def boundary(name: str, left: str, right: str, match: str = "1", default: str = "NONE", **more: str) -> str:
    said = {"refname": name, "lboundary": left, "rboundary": right, "match_number": match, "default": default} | more
    return element("BoundaryExtractor", f"Take {name}", *_texts("BoundaryExtractor", said))


def json(names: str, paths: str, match: str = "1", defaults: str = "NONE", concat: str = "false") -> str:
    said = {
        "referenceNames": names,
        "jsonPathExprs": paths,
        "match_numbers": match,
        "defaultValues": defaults,
        "compute_concat": concat,
    }
    return element("JSONPostProcessor", f"Take {names}", *_texts("JSONPostProcessor", said))


def jmespath(name: str, expression: str, match: str = "1", default: str = "NONE", **more: str) -> str:
    said = {"referenceName": name, "jmesPathExpr": expression, "matchNumber": match, "defaultValue": default}
    others = [text(key.replace("__", "."), value) for key, value in more.items()]
    return element("JMESPathExtractor", f"Take {name}", *_texts("JMESExtractor", said), *others)


def jmespath_assertion(
    path: str, value: str | None = None, *, pattern: bool = False, null: bool = False, invert: bool = False
) -> str:
    flags = {"JSONVALIDATION": value is not None or null, "EXPECT_NULL": null, "INVERT": invert, "ISREGEX": pattern}
    written = [f'<boolProp name="{name}">{str(on).lower()}</boolProp>' for name, on in flags.items()]
    texts = [text("JMES_PATH", path), text("EXPECTED_VALUE", value or "")]
    return element("JMESPathAssertion", "Assertion", *texts, *written)


def css(name: str, selector: str, attribute: str = "", match: str = "1", default: str = "NONE") -> str:
    said = {"refname": name, "expr": selector, "attribute": attribute, "match_number": match, "default": default}
    return element("HtmlExtractor", f"Take {name}", *_texts("HtmlExtractor", said))


def xpath(name: str, query: str, match: str = "-1", tolerant: str = "false", kind: str = "XPathExtractor", **more: str):
    prefix = "XPathExtractor2" if kind == "XPath2Extractor" else kind
    said = {"refname": name, "xpathQuery": query, "matchNumber": match, "default": "NONE"} | more
    if kind == "XPathExtractor":
        said |= {"tolerant": tolerant, "quiet": "true"}
    return element(kind, f"Take {name}", *_texts(prefix, said))


def scoped(xml: str, scope: str, what: str = "Sample") -> str:
    """An extractor or an assertion that looks at other answers than the main one: `all`, `children`."""
    return xml.replace("><", f">{text(f'{what}.scope', scope)}<", 1)


def response_assertion(field: str, kind: int, *texts: str, ignore: bool = False, **more: str) -> str:
    others = [text(key.replace("__", "."), value) for key, value in more.items()]
    return element(
        "ResponseAssertion",
        "Assertion",
        collection("Asserion.test_strings", *[text(str(number), each) for number, each in enumerate(texts)]),
        text("Assertion.test_field", f"Assertion.{field}"),
        f'<boolProp name="Assertion.assume_success">{str(ignore).lower()}</boolProp>',
        f'<intProp name="Assertion.test_type">{kind}</intProp>',
        *others,
    )


def json_assertion(
    path: str, value: str | None = None, *, pattern: bool = False, null: bool = False, invert: bool = False
):
    def flag(name: str, *, on: bool) -> str:
        return f'<boolProp name="{name}">{str(on).lower()}</boolProp>'

    return element(
        "JSONPathAssertion",
        "Assertion",
        text("JSON_PATH", path),
        text("EXPECTED_VALUE", value or ""),
        flag("JSONVALIDATION", on=value is not None or null),
        flag("EXPECT_NULL", on=null),
        flag("INVERT", on=invert),
        flag("ISREGEX", on=pattern),
    )


def size_assertion(size: int, operator: int, field: str = "response_data") -> str:
    return element(
        "SizeAssertion",
        "Assertion",
        text("Assertion.test_field", f"SizeAssertion.{field}"),
        text("SizeAssertion.size", str(size)),
        f'<intProp name="SizeAssertion.operator">{operator}</intProp>',
    )


def simple(kind: str, name: str, **properties: str) -> str:
    """An element whose properties are texts."""
    return element(kind, name, *[text(key.replace("__", "."), value) for key, value in properties.items()])


def controller(kind: str, below: str, name: str = "Controller", *more: str, **properties: str) -> str:
    texts = [text(key.replace("__", "."), value) for key, value in properties.items()]
    return element(kind, name, *texts, *more, below=below)


def dummy(
    name: str, code: str = "200", data: str = "", good: str = "true", below: str = "", waits: str = "true"
) -> str:
    """A Dummy Sampler of the plug-in."""
    said = {"RESPONSE_CODE": code, "RESPONSE_MESSAGE": "said so", "RESPONSE_DATA": data, "RESPONSE_TIME": "20"}
    flags = f'<boolProp name="WAITING">{waits}</boolProp><boolProp name="SUCCESFULL">{good}</boolProp>'
    return element(
        "kg.apc.jmeter.samplers.DummySampler",
        name,
        flags,
        *[text(key, value) for key, value in said.items()],
        below=below,
    )


def debug(variables_too: str = "true", below: str = "") -> str:
    return element("DebugSampler", "Debug", text("displayJMeterVariables", variables_too), below=below)


def java(name: str, **said: str) -> str:
    """A Java Request of JMeter's own tests."""
    items = [inner(key, "Argument", text("Argument.name", key), text("Argument.value", said[key])) for key in said]
    return element(
        "JavaSampler",
        name,
        inner("arguments", "Arguments", collection("Arguments.arguments", *items)),
        text("classname", f"org.apache.jmeter.protocol.java.test.{name}"),
    )


def renamed(xml: str, kind: str) -> str:
    return (
        xml.replace("<ThreadGroup ", f"<{kind} ", 1)
        .replace("</ThreadGroup>", f"</{kind}>", 1)
        .replace('testclass="ThreadGroup"', f'testclass="{kind}"', 1)
    )
