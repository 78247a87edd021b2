/* SPDX-License-Identifier: MIT */
/* The terminal: what stands where after which bytes. */
#include "tests/test.h"

#include <string.h>

#include "kernel/term.h"

#define SUITE "term"

#define ROWS 4u
#define COLS 10u

static struct term term;

/* What was painted, which must always equal what the terminal thinks is there. */
static struct {
	cell_t cell[TERM_ROWS_MAX][TERM_COLS_MAX];
	size_t count;
} screen;

static void paint(void *unused, unsigned row, unsigned col, cell_t cell)
{
	(void)unused;
	EXPECT(row < term.rows && col < term.cols);
	screen.cell[row][col] = cell;
	screen.count++;
}

static void start(void)
{
	memset(&screen, 0, sizeof(screen));
	term_init(&term, ROWS, COLS, 1, paint, NULL);
}

static void say(const char *s)
{
	term_write(&term, s, strlen(s));
}

/* Does @row read @want, blanks at its end aside? */
static void expect_row(int line, unsigned row, const char *want)
{
	char got[COLS + 1] = "";
	unsigned n = COLS;

	for (unsigned col = 0; col < COLS; col++)
		got[col] = (char)cell_code(screen.cell[row][col]);
	while (n > 0 && got[n - 1] == ' ')
		got[--n] = '\0';
	if (strcmp(got, want) != 0) {
		test_note("row %u is \"%s\", not \"%s\"", row, got, want);
		test_fail(__FILE__, line, "a row differs");
	}
}

#define EXPECT_ROW(row, want) expect_row(__LINE__, row, want)

static void expect_cursor(int line, unsigned row, unsigned col)
{
	for (unsigned r = 0; r < ROWS; r++)
		for (unsigned c = 0; c < COLS; c++)
			if (!!(screen.cell[r][c] & CELL_CURSOR) != (r == row && c == col))
				test_fail(__FILE__, line, "the cursor is elsewhere");
}

#define EXPECT_CURSOR(row, col) expect_cursor(__LINE__, row, col)

TEST(lines)
{
	start();
	EXPECT_CURSOR(0, 0);
	say("one\ntwo\r2\nx\ty");
	EXPECT_ROW(0, "one");
	EXPECT_ROW(1, "2wo");
	EXPECT_ROW(2, "x       y");
	EXPECT_CURSOR(2, 9);
	term_init(&term, ROWS, 8, 1, paint, NULL);
	say("\tz\n");
	EXPECT_EQ(cell_code(screen.cell[0][7]), 'z');
}

TEST(scrolls)
{
	start();
	say("1\n2\n3\n4\n5\n6");
	EXPECT_ROW(0, "3");
	EXPECT_ROW(3, "6");
	for (int i = 0; i < 100; i++)
		say("again\n");
	EXPECT_ROW(2, "again");
	EXPECT_ROW(3, "");
}

TEST(scrolls_by_more_than_one_row)
{
	start();
	term.jump = 2;
	say("1\n2\n3\n4");
	EXPECT_ROW(3, "4");
	say("\n");
	EXPECT_ROW(1, "4");
	EXPECT_CURSOR(2, 0);
	say("5\n6\n7");
	EXPECT_ROW(0, "5");
	EXPECT_ROW(2, "7");
	EXPECT_ROW(3, "");
	term_init(&term, ROWS, COLS, 99, paint, NULL);
	say("1\n2\n3\n4\n5");
	EXPECT_ROW(0, "5");
	EXPECT_ROW(1, "");
	term_init(&term, ROWS, COLS, 0, paint, NULL);
	EXPECT_EQ(term.jump, 1);
}

TEST(wraps_when_the_next_character_comes)
{
	start();
	say("0123456789");
	EXPECT_CURSOR(0, 9);
	say("\n");
	EXPECT_CURSOR(1, 0);
	say("0123456789a");
	EXPECT_ROW(1, "0123456789");
	EXPECT_ROW(2, "a");
	start();
	say("0123456789\b\bX");
	EXPECT_ROW(0, "0123456X89");
}

TEST(moves_and_erases)
{
	start();
	say("abcdef\b\b\bX\x1b[K");
	EXPECT_ROW(0, "abcX");
	say("\r\x1b[2C-\x1b[2D+");
	EXPECT_ROW(0, "a+-X");
	say("\x1b[99D\x1b[3Cq\x1b[1K");
	EXPECT_ROW(0, "");
	say("\x1b[2;3Hhere\x1b[Aup\x1b[Bdown");
	EXPECT_ROW(0, "      up");
	EXPECT_ROW(1, "  here  do");
	say("\x1b[H\x1b[J");
	EXPECT_ROW(1, "");
	EXPECT_CURSOR(0, 0);
	say("\x1b[99;99Hx");
	EXPECT_ROW(3, "         x");
}

TEST(erases_parts_of_the_display)
{
	start();
	say("aaa\nbbb\nccc\nddd\x1b[2;2H\x1b[J");
	EXPECT_ROW(0, "aaa");
	EXPECT_ROW(1, "b");
	EXPECT_ROW(2, "");
	start();
	say("aaa\nbbb\nccc\nddd\x1b[2;2H\x1b[1J");
	EXPECT_ROW(0, "");
	EXPECT_ROW(1, "  b");
	EXPECT_ROW(2, "ccc");
	say("\x1b[2J");
	EXPECT_ROW(3, "");
}

TEST(colours)
{
	start();
	say("\x1b[31ma\x1b[1mb\x1b[0mc\x1b[97;44md\x1b[39;49me\x1b[7mf\x1b[me");
	EXPECT_EQ(cell_ink(screen.cell[0][0]), 1);
	EXPECT_EQ(cell_ink(screen.cell[0][1]), 9);
	EXPECT_EQ(cell_ink(screen.cell[0][2]), 7);
	EXPECT_EQ(cell_ink(screen.cell[0][3]), 15);
	EXPECT_EQ(cell_paper(screen.cell[0][3]), 4);
	EXPECT_EQ(cell_ink(screen.cell[0][4]), 7);
	EXPECT_EQ(cell_paper(screen.cell[0][4]), 0);
	EXPECT_EQ(cell_ink(screen.cell[0][5]), 0);
	EXPECT_EQ(cell_paper(screen.cell[0][5]), 7);
	EXPECT_EQ(cell_paper(screen.cell[0][6]), 0);
}

TEST(unknown_sequences_are_swallowed)
{
	start();
	say("a\x1b[?25lb\x1b[1;2;3;4;5;6;7;8;9;10mc\x1b[38;5;1zd\x1b(Be\x1b]0;title\af\x1bMg");
	EXPECT_ROW(0, "abcdefg");
	say("\r\x1b]2;t\x1b\\A\x1b[ qB\x1b[>1;4mC\x1b[99999999999CD");
	EXPECT_ROW(0, "ABCdefg  D");
}

TEST(utf8)
{
	start();
	say("\xc3\xa9\xe2\x94\x80\xf0\x9f\x98\x80");
	EXPECT_EQ(cell_code(screen.cell[0][0]), 0xe9);
	EXPECT_EQ(cell_code(screen.cell[0][1]), 0x2500);
	EXPECT_EQ(cell_code(screen.cell[0][2]), 0x1f600);
	start();
	/* a lone continuation, a sequence cut short, a byte that never occurs */
	say("\x80|\xe2\x94|\xff|");
	EXPECT_EQ(cell_code(screen.cell[0][0]), 0xfffd);
	EXPECT_EQ(cell_code(screen.cell[0][1]), '|');
	EXPECT_EQ(cell_code(screen.cell[0][2]), 0xfffd);
	EXPECT_EQ(cell_code(screen.cell[0][3]), '|');
	EXPECT_EQ(cell_code(screen.cell[0][4]), 0xfffd);
	/* split over two writes */
	start();
	say("\xe2\x94");
	say("\x80");
	EXPECT_EQ(cell_code(screen.cell[0][0]), 0x2500);
}

TEST(only_what_changed_is_painted)
{
	start();
	say("same\nsame\nsame\nsame");
	screen.count = 0;
	say("\n");
	/* the last line's four letters and two cells for the cursor */
	EXPECT(screen.count <= 6);
	screen.count = 0;
	say("x");
	EXPECT_EQ(screen.count, 2);
}

/* Paints and, now and then, prints again from in there, as an NMI would. */
static void paint_and_interrupt(void *unused, unsigned row, unsigned col, cell_t cell)
{
	static unsigned depth;

	paint(unused, row, col, cell);
	if (depth < 3 && test_random_below(8) == 0) {
		depth++;
		say("\x1b[31mNMI\n\xe2\x94");
		depth--;
	}
}

TEST(random_bytes_and_reentry_stay_in_bounds)
{
	memset(&screen, 0, sizeof(screen));
	term_init(&term, ROWS, COLS, 1, paint_and_interrupt, NULL);
	for (int i = 0; i < 20000; i++) {
		char bytes[16];

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = test_random_below(3)
					   ? "\x1b[;0123456789ABCDHJKm\n\b\t\r\xe2\x94\x80"
						[test_random_below(28)]
					   : (char)test_random();
		term_write(&term, bytes, 1 + test_random_below(sizeof(bytes)));
		ASSERT(term.state.row < ROWS && term.state.col <= COLS && term.state.top < ROWS);
	}
}

/* A state that no byte sequence makes, as two mixed ones may: each field in its own bounds. */
TEST(mixed_states_stay_in_bounds)
{
	for (int i = 0; i < 20000; i++) {
		start();
		term.state = (struct term_state){
			.row = (uint16_t)test_random_below(ROWS),
			.col = (uint16_t)test_random_below(COLS + 1),
			.top = (uint16_t)test_random_below(ROWS),
			.ink = (uint8_t)test_random_below(16),
			.paper = (uint8_t)test_random_below(16),
			.parsing = (uint8_t)test_random_below(4),
			.nparams = (uint8_t)test_random_below(TERM_PARAMS_MAX + 1),
			.utf8_left = (uint8_t)test_random_below(4),
			.utf8 = (uint32_t)test_random_below(0x200000),
		};
		char byte = (char)test_random();
		term_write(&term, &byte, 1);
		say(";1H\n");
		ASSERT(term.state.row < ROWS && term.state.col <= COLS && term.state.top < ROWS);
	}
}

TEST(screens_larger_than_the_maxima_are_cut)
{
	term_init(&term, 10000, 10000, 1, paint, NULL);
	EXPECT_EQ(term.rows, TERM_ROWS_MAX);
	EXPECT_EQ(term.cols, TERM_COLS_MAX);
	for (unsigned i = 0; i < 300; i++)
		say("0123456789abcdef0123456789abcdef\n");
}
