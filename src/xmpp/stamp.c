/* SPDX-License-Identifier: MIT
 *
 * The DateTime profile of XEP-0082 (§3.2), read and written, and XEP-0203's delay.
 */
#include "xmpp/stamp.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "xmpp/ns.h"
#include "xmpp/writer.h"

#define SECOND INT64_C(1000000)

/* The years that four digits can write. */
#define STAMP_FIRST INT64_C(-62167219200)
#define STAMP_LAST INT64_C(253402300799)

void stamp_write(int64_t wall_us, char out[STAMP_LEN + 1])
{
	int64_t fraction = (wall_us % SECOND + SECOND) % SECOND;
	time_t seconds = (wall_us - fraction) / SECOND;
	struct tm tm;

	if (seconds < STAMP_FIRST)
		seconds = STAMP_FIRST;
	if (seconds > STAMP_LAST)
		seconds = STAMP_LAST;
	gmtime_r(&seconds, &tm);
	snprintf(out, STAMP_LEN + 1, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", (tm.tm_year + 1900) % 10000u,
	         (tm.tm_mon + 1) % 100u, tm.tm_mday % 100u, tm.tm_hour % 100u, tm.tm_min % 100u,
	         tm.tm_sec % 100u, (unsigned)(fraction / 1000) % 1000u);
}

/* Takes exactly count digits, and then the character behind them unless it is NUL. */
static bool stamp_digits(const char **text, int count, char behind, int *out)
{
	*out = 0;
	for (; count > 0; count--, (*text)++) {
		if (!isdigit((unsigned char)**text))
			return false;
		*out = *out * 10 + (**text - '0');
	}
	if (behind && *(*text)++ != behind)
		return false;
	return true;
}

/* Any number of digits; what is finer than a microsecond is dropped. */
static bool stamp_fraction(const char **text, int64_t *us)
{
	int64_t unit = SECOND / 10;

	*us = 0;
	if (**text != '.')
		return true;
	if (!isdigit((unsigned char)*++*text))
		return false;
	for (; isdigit((unsigned char)**text); (*text)++, unit /= 10)
		*us += (**text - '0') * unit;
	return true;
}

/* TZD: Z or an offset, which must end the text. */
static bool stamp_zone(const char *text, int64_t *ahead)
{
	int sign = *text == '-' ? -1 : 1, hours, minutes;

	*ahead = 0;
	if (strcmp(text, "Z") == 0)
		return true;
	if (*text != '+' && *text != '-')
		return false;
	text++;
	if (!stamp_digits(&text, 2, ':', &hours) || !stamp_digits(&text, 2, '\0', &minutes) || *text)
		return false;
	*ahead = sign * (hours * 3600 + minutes * 60);
	return hours <= 14 && minutes <= 59;
}

/* timegm carries what is out of range over: a date that comes back changed was none (31 February). */
static bool stamp_seconds(const struct tm *tm, time_t *seconds)
{
	struct tm carried = *tm;

	*seconds = timegm(&carried);
	return carried.tm_year == tm->tm_year && carried.tm_mon == tm->tm_mon &&
	       carried.tm_mday == tm->tm_mday && carried.tm_hour == tm->tm_hour &&
	       carried.tm_min == tm->tm_min && carried.tm_sec == tm->tm_sec;
}

bool stamp_read(const char *text, int64_t *wall_us)
{
	struct tm tm = { 0 };
	int64_t fraction, ahead;
	time_t seconds;

	if (!stamp_digits(&text, 4, '-', &tm.tm_year) || !stamp_digits(&text, 2, '-', &tm.tm_mon) ||
	    !stamp_digits(&text, 2, 'T', &tm.tm_mday) || !stamp_digits(&text, 2, ':', &tm.tm_hour) ||
	    !stamp_digits(&text, 2, ':', &tm.tm_min) || !stamp_digits(&text, 2, '\0', &tm.tm_sec) ||
	    !stamp_fraction(&text, &fraction) || !stamp_zone(text, &ahead))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if (!stamp_seconds(&tm, &seconds))
		return false;
	*wall_us = ((int64_t)seconds - ahead) * SECOND + fraction;
	return true;
}

void stamp_delay(struct buf *out, const char *from, int64_t wall_us)
{
	char stamp[STAMP_LEN + 1];

	stamp_write(wall_us, stamp);
	buf_add_lit(out, "<delay xmlns='" NS_DELAY "'");
	writer_attr(out, "from", from);
	writer_attr(out, "stamp", stamp);
	buf_add_lit(out, "/>");
}
