/* SPDX-License-Identifier: MIT */
/*
 * The line editor at a terminal of one line that understands just what the
 * editor sends: after each key the screen must show what the line holds.
 */
#include "tests/test.h"

#include <labyrinth/string.h>

#include "kernel/line_edit.h"

#define SUITE "line_edit"

#define UP     "\x1b[A"
#define DOWN   "\x1b[B"
#define RIGHT  "\x1b[C"
#define LEFT   "\x1b[D"
#define HOME   "\x1b[H"
#define END    "\x1b[F"
#define DELETE "\x1b[3~"

static struct line_edit edit;

/* The terminal: columns of whole characters, of which only the first byte is kept. */
static struct {
	char row[LINE_COLUMNS + 1];
	size_t col, count, lines, bells;
	size_t farthest;		/* the rightmost column written */
} tty;

static void tty_sequence(char final, size_t count)
{
	if (final == 'K')
		memset(tty.row + tty.col, ' ', LINE_COLUMNS - tty.col);
	else if (final == 'D')
		tty.col = tty.col > count ? tty.col - count : 0;
	else if (final == 'J')
		memset(tty.row, ' ', LINE_COLUMNS);
	else if (final == 'H')
		tty.col = 0;
	else if (final != 'm')
		test_fail(__FILE__, __LINE__, "a sequence this terminal does not know");
}

static void tty_char(char c)
{
	if (c == '\r') {
		tty.col = 0;
	} else if (c == '\n') {
		memset(tty.row, ' ', LINE_COLUMNS);
		tty.col = 0;
		tty.lines++;
	} else if (c == '\a') {
		tty.bells++;
	} else if (((unsigned char)c & 0xc0) != 0x80) {
		if (tty.col >= LINE_COLUMNS) {
			test_fail(__FILE__, __LINE__, "written beyond the last column");
			return;
		}
		if (tty.col > tty.farthest)
			tty.farthest = tty.col;
		tty.row[tty.col++] = c;
	}
}

static void tty_write(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] != '\x1b') {
			tty_char(s[i]);
			continue;
		}
		i += 2;			/* ESC [ */
		for (tty.count = 0; i < n && s[i] >= '0' && s[i] <= '9'; i++)
			tty.count = tty.count * 10 + (size_t)(s[i] - '0');
		if (i < n)
			tty_sequence(s[i], tty.count);
	}
}

static const char *word(size_t i)
{
	static const char *const words[] = { "alloc", "free", "help", "history", "hello" };

	return i < sizeof(words) / sizeof(words[0]) ? words[i] : NULL;
}

static void start(void)
{
	memset(&edit, 0, sizeof(edit));
	memset(&tty, 0, sizeof(tty));
	memset(tty.row, ' ', LINE_COLUMNS);
	edit.write = tty_write;
	edit.word = word;
	edit.prompt = "\x1b[1m>\x1b[0m ";
	edit.prompt_cols = 2;
	line_start(&edit);
}

static enum line_event type(const char *keys)
{
	enum line_event event = LINE_GOES_ON;

	while (*keys)
		event = line_key(&edit, *keys++);
	return event;
}

static bool text_is(const char *want)
{
	if (strcmp(edit.text, want) == 0 && strlen(want) == edit.len)
		return true;
	test_note("the line is \"%s\", not \"%s\"", edit.text, want);
	return false;
}

/* The screen shows prompt and line (up to where it is cut), the cursor where it belongs. */
static bool shown(void)
{
	char want[LINE_COLUMNS + 1];
	size_t col = 2, cursor = 2;

	memset(want, ' ', LINE_COLUMNS);
	want[0] = '>';
	want[LINE_COLUMNS] = '\0';
	for (size_t i = edit.left; i <= edit.len; i++) {
		if (i == edit.cursor)
			cursor = col;
		if (i == edit.len || col == LINE_COLUMNS - 1)
			break;
		if (((unsigned char)edit.text[i] & 0xc0) != 0x80)
			want[col++] = edit.text[i];
	}
	if (edit.cursor > edit.left && cursor == 2)
		cursor = col;
	if (memcmp(want, tty.row, LINE_COLUMNS) == 0 && cursor == tty.col)
		return true;
	test_note("shows  \"%.80s\", cursor %zu", tty.row, tty.col);
	test_note("not    \"%.80s\", cursor %zu", want, cursor);
	return false;
}

#define AFTER(keys, want)                  \
	do {                               \
		start();                   \
		type(keys);                \
		EXPECT(text_is(want));     \
		EXPECT(shown());           \
	} while (0)

TEST(typing)
{
	AFTER("help", "help");
	EXPECT_EQ(type("\r"), LINE_DONE);
	EXPECT(text_is("help"));
	EXPECT_EQ(tty.lines, 1);
	line_start(&edit);
	EXPECT(text_is(""));
	EXPECT(shown());
}

TEST(moving_and_inserting)
{
	AFTER("ac" LEFT "b", "abc");
	AFTER("bc" HOME "a" END "d", "abcd");
	AFTER("bc\x01" "a\x05" "d", "abcd");
	AFTER("ad\x02" "b\x06" "e", "abde");
	AFTER("x" RIGHT RIGHT LEFT LEFT LEFT "y", "yx");
	AFTER("\x1bOH" "a\x1bOF" "b\x1b[1~c\x1b[4~d", "cabd");
	AFTER("one two\x1b[1;5D-\x1b[1;5D-\x1b[1;5C!", "one --two!");
}

TEST(erasing)
{
	AFTER("abc\x7f", "ab");
	AFTER("abc\b\b\b\b", "");
	AFTER("abc" LEFT LEFT DELETE, "ac");
	AFTER("abc" HOME "\x04", "bc");
	AFTER("abc" DELETE, "abc");
	AFTER("abcd" LEFT LEFT "\x0b", "ab");
	AFTER("abcd" LEFT LEFT "\x15", "cd");
	AFTER("one two  \x17", "one ");
	AFTER("one two\x17\x17\x17", "");
	AFTER("one two\x1b\x7f", "one ");
	AFTER("one two" HOME "\x1b" "d", " two");
}

TEST(cut_and_yank)
{
	AFTER("one two\x17\x19\x19", "one twotwo");
	AFTER("one\x15\x19\x19", "oneone");
	AFTER("\x19", "");
}

TEST(leaving)
{
	start();
	EXPECT_EQ(type("abc\x03"), LINE_CANCELLED);
	EXPECT_EQ(tty.lines, 1);
	line_start(&edit);
	EXPECT(text_is(""));
	EXPECT_EQ(type("\x04"), LINE_END);
	line_start(&edit);
	EXPECT_EQ(type("a\x04"), LINE_GOES_ON);
	EXPECT_EQ(type("\r\n"), LINE_GOES_ON);	/* the second of one Enter */
	EXPECT_EQ(type("\n"), LINE_DONE);
}

TEST(history)
{
	start();
	EXPECT_EQ(history_count(&edit.history), 0);
	type("one\r"), line_start(&edit);
	type("two\r"), line_start(&edit);
	type("two\r"), line_start(&edit);
	type("\r"), line_start(&edit);
	EXPECT_EQ(history_count(&edit.history), 2);
	type("draft" UP);
	EXPECT(text_is("two"));
	EXPECT(shown());
	type(UP);
	EXPECT(text_is("one"));
	type(UP);
	EXPECT(text_is("one"));
	type(DOWN "!");
	EXPECT(text_is("two!"));
	type(DOWN);
	EXPECT(text_is("draft"));
	type(DOWN);
	EXPECT(text_is("draft"));
	type("\x10\x10\x0e");
	EXPECT(text_is("two"));
	EXPECT(shown());
	EXPECT(strcmp(history_get(&edit.history, 1), "two") == 0);
	EXPECT(history_get(&edit.history, 3) == NULL);
}

TEST(history_forgets_the_oldest)
{
	start();
	for (int i = 0; i < 100; i++) {
		char line[] = { 'a', (char)('0' + i / 10), (char)('0' + i % 10), '\r', 0 };

		type(line);
		line_start(&edit);
	}
	EXPECT_EQ(history_count(&edit.history), HISTORY_LINES);
	EXPECT(strcmp(history_get(&edit.history, 1), "a99") == 0);
	EXPECT(strcmp(history_get(&edit.history, HISTORY_LINES), "a68") == 0);
	EXPECT(history_get(&edit.history, HISTORY_LINES + 1) == NULL);
}

TEST(completion)
{
	AFTER("al\t", "alloc ");
	AFTER("h\t", "h");
	EXPECT_EQ(tty.lines, 2);
	AFTER("he\t", "hel");
	AFTER("hel\t", "hel");
	AFTER("hi\t", "history ");
	AFTER("xyz\t", "xyz");
	EXPECT_EQ(tty.bells, 1);
	AFTER("free a\t", "free a");
	AFTER("free\t", "free ");
}

TEST(long_lines_scroll)
{
	start();
	for (int i = 0; i < 200; i++) {
		char c = (char)('a' + i % 26);

		EXPECT_EQ(line_key(&edit, c), LINE_GOES_ON);
		ASSERT(shown());
	}
	EXPECT_EQ(edit.len, 200);
	for (int i = 0; i < 210; i++) {
		type(LEFT);
		ASSERT(shown());
	}
	EXPECT_EQ(edit.cursor, 0);
	type("x" END);
	EXPECT(shown());
	for (int i = 0; i < 201; i++) {
		type("\x7f");
		ASSERT(shown());
	}
	EXPECT(tty.farthest < LINE_COLUMNS - 1);
}

TEST(too_long_lines_are_stopped)
{
	start();
	for (unsigned i = 0; i < 2 * LINE_SIZE; i++)
		type("x");
	EXPECT_EQ(edit.len, LINE_SIZE - 1);
	EXPECT(tty.bells > 0);
	EXPECT(shown());
	EXPECT_EQ(type("\r"), LINE_DONE);
}

TEST(utf8)
{
	AFTER("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	type(LEFT LEFT);
	EXPECT_EQ(edit.cursor, 2);
	EXPECT(shown());
	type("\x7f");
	EXPECT(text_is("\xe2\x82\xac\xf0\x9f\x98\x80"));
	type(DELETE);
	EXPECT(text_is("\xf0\x9f\x98\x80"));
	/* what is not UTF-8 leaves no trace */
	AFTER("a\x80\xff\xe2\x82" "b\xc0\x80" "c", "abc");
}

TEST(unknown_keys_are_swallowed)
{
	AFTER("a\x1b[11~b\x1b[5~c\x1b[[Ad\x1b[15;2~e\x1bOPf\x1bxg\x1b[?1;2cj\x1b[200~k",
	      "abcdefgjk");
	AFTER("a\x1b[1;2;3;4;5Zb", "ab");
	start();
	type("a");
	line_key(&edit, '\0');
	EXPECT_EQ(type("\x1b\r"), LINE_DONE);
	EXPECT(text_is("a"));
}

TEST(random_keys)
{
	static const char *const keys[] = {
		UP, DOWN, LEFT, RIGHT, HOME, END, DELETE, "\x7f", "\x17", "\x15", "\x0b", "\x19",
		"\t", "\r", "\x03", "a", "h", " ", "\xc3\xa9", "some words here ", "\x1b[1;5D",
		"\x1b[1;5C", "\x0c", "\x1b", "\xe2", "\x1b[",
	};

	start();
	for (int i = 0; i < 5000; i++) {
		size_t k = test_random_below(sizeof(keys) / sizeof(keys[0]));

		if (type(keys[k]) != LINE_GOES_ON)
			line_start(&edit);
		ASSERT(edit.cursor <= edit.len && edit.len < LINE_SIZE);
		ASSERT(edit.text[edit.len] == '\0' && edit.left <= edit.cursor);
		if (edit.reading == 0)
			ASSERT(shown());
	}
}
