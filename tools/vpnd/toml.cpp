// SPDX-License-Identifier: GPL-2.0
/* The only file in C++: what toml++ makes of a text becomes nodes of toml.h. */
#include "toml.h"

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

/*
 * toml++ asserts that a table's name begins with a character that it can have: with
 * "[!" in a file, the program would be aborted, or go on with whatever.
 */
#undef NDEBUG
struct surprised {};

[[noreturn]] static void surprise()
{
	throw surprised();
}

#define TOML_ASSERT(expr) do { if (!(expr)) ::surprise(); } while (0)

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#define PARTS_MAX	64

namespace {

struct toml_node *build(const ::toml::node &from);

struct toml_place place(const ::toml::source_region &region)
{
	return { static_cast<unsigned int>(region.begin.line),
		 static_cast<unsigned int>(region.begin.column) };
}

char *copy(std::string_view text)
{
	char *bytes = static_cast<char *>(std::malloc(text.size() + 1));

	if (bytes) {
		std::memcpy(bytes, text.data(), text.size());
		bytes[text.size()] = '\0';
	}
	return bytes;
}

bool before(const struct toml_place &a, const struct toml_place &b)
{
	return a.line < b.line || (a.line == b.line && a.column < b.column);
}

/* Tables are sorted by key there; here they are as they were written. */
void insert(struct toml_node *parent, struct toml_node *child)
{
	struct toml_node **at = &parent->first;
	const struct toml_place &mine = child->key ? child->key_at : child->at;

	while (*at && !before(mine, (*at)->key ? (*at)->key_at : (*at)->at))
		at = &(*at)->next;
	child->next = *at;
	*at = child;
}

bool build_table(struct toml_node *node, const ::toml::table &table)
{
	for (const auto &[key, value] : table) {
		struct toml_node *child = build(value);

		if (!child)
			return false;
		child->key = copy(key.str());
		child->key_at = place(key.source());
		insert(node, child);
		if (!child->key)
			return false;
	}
	return true;
}

bool build_array(struct toml_node *node, const ::toml::array &array)
{
	struct toml_node **end = &node->first;

	for (const auto &value : array) {
		*end = build(value);
		if (!*end)
			return false;
		end = &(*end)->next;
	}
	return true;
}

bool build_string(struct toml_node *node, const std::string &text)
{
	node->string = copy(text);
	node->len = text.size();
	return node->string;
}

bool fill(struct toml_node *node, const ::toml::node &from)
{
	node->at = place(from.source());
	node->type = TOML_OTHER;
	if (const auto *table = from.as_table()) {
		node->type = TOML_TABLE;
		return build_table(node, *table);
	}
	if (const auto *array = from.as_array()) {
		node->type = TOML_ARRAY;
		return build_array(node, *array);
	}
	if (const auto *string = from.as_string()) {
		node->type = TOML_STRING;
		return build_string(node, string->get());
	}
	if (const auto *integer = from.as_integer()) {
		node->type = TOML_INTEGER;
		node->integer = integer->get();
	}
	if (const auto *boolean = from.as_boolean()) {
		node->type = TOML_BOOLEAN;
		node->boolean = boolean->get();
	}
	return true;
}

struct toml_node *build(const ::toml::node &from)
{
	auto *node = static_cast<struct toml_node *>(std::calloc(1, sizeof(struct toml_node)));

	if (node && !fill(node, from)) {
		toml_free(node);
		node = nullptr;
	}
	return node;
}

void set_error(struct toml_error *err, const struct toml_place &at, std::string_view text)
{
	const size_t len = std::min(text.size(), sizeof(err->text) - 1);

	err->at = at;
	std::memcpy(err->text, text.data(), len);
	err->text[len] = '\0';
}

/*
 * The line of a key with more parts than any has, or zero: toml++ makes a table of
 * each, one in the other, and the stack is not endless.
 */
unsigned int overlong_key(const char *text, size_t len)
{
	unsigned int line = 1, dots = 0;
	bool counting = true;
	char quote = 0;

	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (c == '\n') {
			line++;
			dots = 0;
			counting = true;
			quote = 0;
		} else if (quote) {
			if (c == quote)
				quote = 0;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '=' || c == '#') {
			counting = false;
		} else if (counting && c == '.' && ++dots > PARTS_MAX) {
			return line;
		}
	}
	return 0;
}

struct toml_node *parse(std::string_view text, struct toml_error *err)
{
	const auto result = ::toml::parse(text);
	struct toml_node *root;

	if (!result) {
		set_error(err, place(result.error().source()), result.error().description());
		return nullptr;
	}
	root = build(result.table());
	if (!root)
		set_error(err, {}, "memory is out");
	return root;
}

}

struct toml_node *toml_parse(const char *text, size_t len, struct toml_error *err)
{
	unsigned int line;

	line = overlong_key(text, len);
	if (line) {
		set_error(err, { line, 1 }, "a key has too many parts");
		return nullptr;
	}
	try {
		return parse(std::string_view(text, len), err);
	} catch (const surprised &) {
		set_error(err, {},
			  "a name of a table, in [ ], begins with a character that names do not have; they have letters, digits, - and _");
		return nullptr;
	}
}

void toml_free(struct toml_node *node)
{
	struct toml_node *next;

	for (; node; node = next) {
		next = node->next;
		toml_free(node->first);
		if (node->string)
			explicit_bzero(node->string, node->len);
		std::free(node->string);
		std::free(node->key);
		std::free(node);
	}
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		"a table", "a list", "a text", "a number", "true or false",
		"a fraction, a date or a time",
	};

	return names[type];
}
