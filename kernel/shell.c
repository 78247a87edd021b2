/* SPDX-License-Identifier: MIT */
/* The prompt: reads a line from the serial port, finds the command, runs it. */
#include "kernel/shell.h"

#include <arch/console.h>
#include <arch/cpu.h>
#include <arch/irq.h>
#include <arch/machine.h>
#include <arch/serial.h>
#include <labyrinth/boot_info.h>
#include <labyrinth/cmdline.h>
#include <labyrinth/console.h>
#include <labyrinth/print.h>
#include <labyrinth/string.h>
#include <labyrinth/wait.h>

#include "kernel/line_edit.h"
#include "kernel/picture.h"

/* Programs wait for this text at the end of what they have read: keep it as it is. */
#define PROMPT "labyrinth> "

/* COMMAND() puts them there, the linker the marks around them. */
extern const struct command *const __start_labcommands[];
extern const struct command *const __stop_labcommands[];

const struct command *shell_command(size_t i)
{
	return i < (size_t)(__stop_labcommands - __start_labcommands) ? __start_labcommands[i]
								      : NULL;
}

const struct command *shell_find(const char *name)
{
	const struct command *c;

	for (size_t i = 0; (c = shell_command(i)); i++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static const char *command_name(size_t i)
{
	const struct command *c = shell_command(i);

	return c ? c->name : NULL;
}

static struct line_edit editor = {
	.write = console_write,
	.word = command_name,
	.prompt = PROMPT,
	.prompt_cols = sizeof(PROMPT) - 1,
};

const struct history *shell_history(void)
{
	return &editor.history;
}

bool shell_plain(void)
{
	size_t len;
	const char *term = cmdline_get("term", &len);

	return term && len == 5 && strncmp(term, "plain", 5) == 0;
}

/* Cut @line into words, in place.  Return: how many; more than ARGS_MAX if too many. */
static int split(char *line, char *argv[ARGS_MAX])
{
	int argc = 0;

	for (;;) {
		while (*line == ' ')
			*line++ = '\0';
		if (!*line)
			return argc;
		if (argc < ARGS_MAX)
			argv[argc] = line;
		if (++argc > ARGS_MAX)
			return argc;
		while (*line && *line != ' ')
			line++;
	}
}

bool shell_execute(char *line)
{
	char *argv[ARGS_MAX];
	int argc = split(line, argv);
	const struct command *c;

	if (argc == 0)
		return true;
	c = shell_find(argv[0]);
	if (!c) {
		kprintf("There is no command \"%s\"; help lists them all.\n", argv[0]);
		return false;
	}
	if (argc <= ARGS_MAX && c->run(argc, argv))
		return true;
	kprintf("usage: %s%s%s    (%s)\n", c->name, *c->args ? " " : "", c->args, c->what);
	return false;
}

/* Masked from the look to the wait, so that no byte comes in between. */
/* Set when there may be something to read. */
static struct event key;

static void received(void) { event_set(&key); }

#define POLL_NS 1000000u		/* where no interrupt tells of input */

static char wait_for_key(bool by_interrupt)
{
	for (;;) {
		int c;

		event_clear(&key);	/* before the look: what comes behind it counts */
		c = serial_read();
		if (c >= 0)
			return (char)c;
		if (by_interrupt)
			event_wait(&key, WAIT_FOREVER);
		else
			thread_sleep(POLL_NS);
	}
}

static bool serial_is_console(void)
{
	const char *name;

	for (size_t i = 0; i < CONSOLE_SINKS_MAX; i++)
		if ((name = console_name(i)) && strcmp(name, "serial") == 0)
			return true;
	return false;
}

static _Noreturn void stop_without_input(void)
{
	kprintf("There is no serial port, and the prompt reads from nowhere else: this is all\n"
		"that can be seen here.  The machine has stopped and may be switched off.\n");
	machine_halt();
}

_Noreturn void shell_run(void)
{
	bool by_interrupt = serial_interrupts(received);

	kprintf("\n");
	picture_draw(&boot_info, shell_plain(), console_write);
	if (!serial_is_console())
		stop_without_input();
	kprintf("Type help for the commands, poweroff to leave.\n\n");
	for (;;) {
		enum line_event event = LINE_GOES_ON;

		line_start(&editor);
		while (event == LINE_GOES_ON)
			event = line_key(&editor, wait_for_key(by_interrupt));
		if (event == LINE_DONE)
			shell_execute(editor.text);
		else if (event == LINE_END)
			kprintf("Nowhere to go from here but poweroff or reboot.\n");
	}
}
