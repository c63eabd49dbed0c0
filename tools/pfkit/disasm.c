/*
 * pfkit disasm: an image's code, readable.
 */
#include <stdio.h>
#include <string.h>

#include "pfkit.h"
#include "ruleset.h"
#include "shared.h"

static const char help[] =
    "usage: pfkit disasm [option ...] rules.pfi\n"
    "       pfkit disasm [option ...] -f pf.conf\n"
    "\n"
    "Shows an image's instructions, with the rules they were made of, and what\n"
    "keeps `replay -j' to one engine.\n"
    "\n"
    "  -f FILE          an image, or rules that are compiled first\n"
    RULESET_OPTIONS_HELP
    "\n"
    HOST_OPTIONS_HELP;

static const struct option long_options[] = {
	RULESET_LONG_OPTIONS,
	{ NULL, 0, NULL, 0 }
};

static int
parse(struct ruleset_options *o, int argc, char **argv)
{
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":" RULESET_SHORT_OPTIONS,
	    long_options, NULL)) != -1) {
		if (c == OPT_HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (!ruleset_options_take(o, c, optarg))
			option_error("disasm", c, argc, argv);
	}
	if (o->compile.path == NULL && optind < argc)
		o->compile.path = argv[optind++];
	if (o->compile.path == NULL)
		usage_error("disasm", "which image?");
	if (optind < argc)
		usage_error("disasm", "one file at a time: %s", argv[optind]);
	return -1;
}

static int
show(const struct pfk_image *image)
{
	size_t len;
	char *text = pfk_image_disassemble(image, &len);

	if (text == NULL)
		fatal("%s", pfk_strerror(PFK_ERR_NOMEM));
	if (fwrite(text, 1, len, stdout) == len)
		(void)shared_show(stdout, "; ", image);
	if (ferror(stdout) || fflush(stdout) != 0)
		fatal("standard output: cannot be written");
	pfk_image_free_text(image, text);
	return 0;
}

static int
disasm(struct ruleset_options *o)
{
	struct pfk_host *host = NULL;
	struct pfk_image *image;
	int status;

	if (!is_image_file(o->compile.path))
		host = host_options_load(&o->host);
	image = ruleset_image(o, host);
	status = image == NULL ? 1 : show(image);
	pfk_image_free(image);
	pfk_host_free(host);
	return status;
}

int
command_disasm(int argc, char **argv)
{
	struct ruleset_options o;
	int status;

	ruleset_options_init(&o, "disasm", argc);
	status = parse(&o, argc, argv);
	if (status == -1)
		status = disasm(&o);
	ruleset_options_free(&o);
	return status;
}
