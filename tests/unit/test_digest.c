/* SPDX-License-Identifier: MIT
 *
 * Digests against published vectors: FIPS 180 "abc", RFC 2202 and RFC 4231 (HMAC), RFC 6070 (PBKDF2 with
 * SHA-1; the same inputs with the other digests), RFC 4648 §10 (base 64); comparison; what strict base 64
 * refuses.
 */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_hex(const uint8_t *bytes, size_t len, const char *expected)
{
	struct buf hex = { 0 };

	hex_encode(&hex, bytes, len);
	buf_add_char(&hex, '\0');
	assert_string_equal(hex.data, expected);
	buf_clear(&hex);
}

static void digests_of_abc(void **state)
{
	static const struct {
		enum digest_kind kind;
		size_t size;
		const char *hex;
	} vectors[] = {
		{ DIGEST_SHA1, 20, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ DIGEST_SHA256, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ DIGEST_SHA512, 64,
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	};
	uint8_t out[DIGEST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		assert_int_equal(digest_size(vectors[i].kind), vectors[i].size);
		digest_bytes(vectors[i].kind, "abc", 3, out);
		assert_hex(out, vectors[i].size, vectors[i].hex);
	}
	digest_bytes(DIGEST_SHA1, NULL, 0, out);
	assert_hex(out, 20, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

/* RFC 2202 §3 and RFC 4231 §4.3: key "Jefe". */
static void hmac_of_jefe(void **state)
{
	static const char text[] = "what do ya want for nothing?";
	static const struct {
		enum digest_kind kind;
		const char *hex;
	} vectors[] = {
		{ DIGEST_SHA1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
		{ DIGEST_SHA256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
		{ DIGEST_SHA512, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		                 "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737" },
	};
	uint8_t out[DIGEST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		digest_hmac(vectors[i].kind, "Jefe", 4, text, strlen(text), out);
		assert_hex(out, digest_size(vectors[i].kind), vectors[i].hex);
	}
	digest_hmac(DIGEST_SHA256, NULL, 0, NULL, 0, out);
	assert_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void pbkdf2_vectors(void **state)
{
	static const struct {
		enum digest_kind kind;
		unsigned iterations;
		const char *hex;
	} vectors[] = {
		{ DIGEST_SHA1, 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6" },
		{ DIGEST_SHA1, 2, "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957" },
		{ DIGEST_SHA1, 4096, "4b007901b765489abead49d926f721d065a429c1" },
		{ DIGEST_SHA256, 1, "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b" },
		{ DIGEST_SHA256, 2, "ae4d0c95af6b46d32d0adff928f06dd02a303f8ef3c251dfd6e2d85a95474c43" },
		{ DIGEST_SHA256, 4096, "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a" },
		{ DIGEST_SHA512, 1,
		  "867f70cf1ade02cff3752599a3a53dc4af34c7a669815ae5d513554e1c8cf252"
		  "c02d470a285a0501bad999bfe943c08f050235d7d68b1da55e63f73b60a57fce" },
		{ DIGEST_SHA512, 2,
		  "e1d9c16aa681708a45f5c7c4e215ceb66e011a2e9f0040713f18aefdb866d53c"
		  "f76cab2868a39b9f7840edce4fef5a82be67335c77a6068e04112754f27ccf4e" },
		{ DIGEST_SHA512, 4096,
		  "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
		  "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5" },
	};
	uint8_t out[DIGEST_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		digest_pbkdf2(vectors[i].kind, "password", 8, "salt", 4, vectors[i].iterations, out);
		assert_hex(out, digest_size(vectors[i].kind), vectors[i].hex);
	}
}

static void comparison(void **state)
{
	(void)state;
	assert_true(digest_same("abc", "abc", 3));
	assert_false(digest_same("abc", "abd", 3));
	assert_true(digest_same("abc", "xyz", 0));
	assert_true(digest_same_str("", ""));
	assert_true(digest_same_str("secret", "secret"));
	assert_false(digest_same_str("secret", "secre"));
	assert_false(digest_same_str("secre", "secret"));
	assert_false(digest_same_str("", "secret"));
	assert_false(digest_same_str("secret", ""));
	assert_false(digest_same_str("secrex", "secret"));
}

static void base64_both_ways(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
		{ "\xfb\xff\xfe", "+//+" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct buf text = { 0 }, bytes = { 0 };

		base64_encode(&text, vectors[i][0], strlen(vectors[i][0]));
		assert_int_equal(text.len, strlen(vectors[i][1]));
		assert_memory_equal(text.data ? text.data : "", vectors[i][1], text.len);
		assert_true(base64_decode(&bytes, text.data, text.len));
		assert_int_equal(bytes.len, strlen(vectors[i][0]));
		assert_memory_equal(bytes.data ? bytes.data : "", vectors[i][0], bytes.len);
		buf_clear(&text);
		buf_clear(&bytes);
	}
}

static void base64_is_strict(void **state)
{
	static const char *const bad[] = {
		"Z",        "Zg",   "Zg=",    "Zg===",     "=",     "====",    "Z===",     "Zg==Zg==",
		"Zm8=Zm8=", "Zm 9", "Zm9v\n", "Zh==",      "Zm9=",  "Zm9v=",   "Zm9v====", "Zm-_",
		"Zg==x",    "=Zg=", "Z=g=",   "Zm9v Zg==", " Zm9v", "Zm9\xc3",
	};
	struct buf out = { 0 };

	(void)state;
	buf_add_lit(&out, "before");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_false(base64_decode(&out, bad[i], strlen(bad[i])));
		assert_int_equal(out.len, 6);
	}
	assert_false(base64_decode(&out, "Zm\0v", 4));
	assert_memory_equal(out.data, "before", 6);
	buf_clear(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_of_abc),   cmocka_unit_test(hmac_of_jefe),
		cmocka_unit_test(pbkdf2_vectors),   cmocka_unit_test(comparison),
		cmocka_unit_test(base64_both_ways), cmocka_unit_test(base64_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
