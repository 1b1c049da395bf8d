//! Which letters may stand in a name, and which two characters are one letter? Tables of Unicode for `punycode`, as far as names need them.
//!
//! Sources: the Unicode Character Database 14 (canonical compositions and combining classes, general categories), RFC 5892 §2 (what is PVALID).
//! What later versions of Unicode add is judged by Rust's own `is_alphanumeric`. Beyond the first plane only that judges: marks are refused there.

/// A mark, its combining class, and pairs: a letter, and what the letter and the mark are together. Small letters only.
const COMPOSED: &[(char, u8, &str)] = &[
    ('\u{300}', 230, "aàeèiìoòuùüǜnǹеѐиѝēḕōṑwẁâầăằêềôồơờưừyỳἀἂἁἃἐἒἑἓἠἢἡἣἰἲἱἳὀὂὁὃὐὒὑὓὠὢὡὣαὰεὲηὴιὶοὸυὺωὼϊῒϋῢ"),
    (
        '\u{301}',
        230,
        "aáeéiíoóuúyýcćlĺnńrŕsśzźüǘgǵåǻæǽøǿϊΐαάεέηήιίϋΰοόυύωώϒϓгѓкќçḉēḗïḯkḱmḿõṍōṓpṕũṹwẃâấăắêếôốơớưứἀἄἁἅἐἔἑἕἠἤἡἥἰἴ\
        ἱἵὀὄὁὅὐὔὑὕὠὤὡὥ",
    ),
    ('\u{302}', 230, "aâeêiîoôuûcĉgĝhĥjĵsŝwŵyŷzẑạậẹệọộ"),
    ('\u{303}', 230, "aãnñoõiĩuũvṽâẫăẵeẽêễôỗơỡưữyỹ"),
    ('\u{304}', 230, "aāeēiīoōuūüǖäǟȧǡæǣǫǭöȫõȭȯȱyȳиӣуӯgḡḷḹṛṝαᾱιῑυῡ"),
    ('\u{306}', 230, "aăeĕgğiĭoŏuŭийуўжӂаӑеӗȩḝạặαᾰιῐυῠ"),
    ('\u{307}', 230, "cċeėgġzżaȧoȯbḃdḋfḟhḣmṁnṅpṗrṙsṡśṥšṧṣṩtṫwẇxẋyẏſẛ"),
    ('\u{308}', 230, "aäeëiïoöuüyÿιϊυϋϒϔеёіїаӓәӛжӝзӟиӥоӧөӫэӭуӱчӵыӹhḧõṏūṻwẅxẍtẗ"),
    ('\u{309}', 230, "aảâẩăẳeẻêểiỉoỏôổơởuủưửyỷ"),
    ('\u{30a}', 230, "aåuůwẘyẙ"),
    ('\u{30b}', 230, "oőuűуӳ"),
    ('\u{30c}', 230, "cčdďeělľnňrřsštťzžaǎiǐoǒuǔüǚgǧkǩʒǯjǰhȟ"),
    ('\u{30f}', 230, "aȁeȅiȉoȍrȑuȕѵѷ"),
    ('\u{311}', 230, "aȃeȇiȋoȏrȓuȗ"),
    ('\u{313}', 230, "αἀεἐηἠιἰοὀυὐωὠρῤ"),
    ('\u{314}', 230, "αἁεἑηἡιἱοὁυὑωὡρῥ"),
    ('\u{31b}', 216, "oơuư"),
    ('\u{323}', 220, "bḅdḍhḥkḳlḷmṃnṇrṛsṣtṭvṿwẉzẓaạeẹiịoọơợuụưựyỵ"),
    ('\u{324}', 220, "uṳ"),
    ('\u{325}', 220, "aḁ"),
    ('\u{326}', 220, "sștț"),
    ('\u{327}', 202, "cçgģkķlļnņrŗsştţeȩdḑhḩ"),
    ('\u{328}', 202, "aąeęiįuųoǫ"),
    ('\u{32d}', 220, "dḓeḙlḽnṋtṱuṷ"),
    ('\u{32e}', 220, "hḫ"),
    ('\u{330}', 220, "eḛiḭuṵ"),
    ('\u{331}', 220, "bḇdḏkḵlḻnṉrṟtṯzẕhẖ"),
    ('\u{342}', 230, "ἀἆἁἇἠἦἡἧἰἶἱἷὐὖὑὗὠὦὡὧαᾶηῆιῖϊῗυῦϋῧωῶ"),
    ('\u{653}', 230, "\u{627}\u{622}"),
    ('\u{654}', 230, "\u{627}\u{623}\u{648}\u{624}\u{64a}\u{626}\u{6d5}\u{6c0}\u{6c1}\u{6c2}\u{6d2}\u{6d3}"),
    ('\u{655}', 220, "\u{627}\u{625}"),
    ('\u{93c}', 7, "\u{928}\u{929}\u{930}\u{931}\u{933}\u{934}"),
    ('\u{9be}', 0, "\u{9c7}\u{9cb}"),
    ('\u{9d7}', 0, "\u{9c7}\u{9cc}"),
    ('\u{b3e}', 0, "\u{b47}\u{b4b}"),
    ('\u{b56}', 0, "\u{b47}\u{b48}"),
    ('\u{b57}', 0, "\u{b47}\u{b4c}"),
    ('\u{bbe}', 0, "\u{bc6}\u{bca}\u{bc7}\u{bcb}"),
    ('\u{bd7}', 0, "\u{b92}\u{b94}\u{bc6}\u{bcc}"),
    ('\u{c56}', 91, "\u{c46}\u{c48}"),
    ('\u{cc2}', 0, "\u{cc6}\u{cca}"),
    ('\u{cd5}', 0, "\u{cbf}\u{cc0}\u{cc6}\u{cc7}\u{cca}\u{ccb}"),
    ('\u{cd6}', 0, "\u{cc6}\u{cc8}"),
    ('\u{d3e}', 0, "\u{d46}\u{d4a}\u{d47}\u{d4b}"),
    ('\u{d57}', 0, "\u{d46}\u{d4c}"),
    ('\u{dca}', 9, "\u{dd9}\u{dda}\u{ddc}\u{ddd}"),
    ('\u{dcf}', 0, "\u{dd9}\u{ddc}"),
    ('\u{ddf}', 0, "\u{dd9}\u{dde}"),
    ('\u{102e}', 0, "\u{1025}\u{1026}"),
    (
        '\u{1b35}',
        0,
        "\u{1b05}\u{1b06}\u{1b07}\u{1b08}\u{1b09}\u{1b0a}\u{1b0b}\u{1b0c}\u{1b0d}\u{1b0e}\u{1b11}\u{1b12}\
        \u{1b3a}\u{1b3b}\u{1b3c}\u{1b3d}\u{1b3e}\u{1b40}\u{1b3f}\u{1b41}\u{1b42}\u{1b43}",
    ),
    (
        '\u{3099}',
        8,
        "かがきぎくぐけげこごさざしじすずせぜそぞただちぢつづてでとどはばひびふぶへべほぼうゔゝゞカガキギクグケゲコゴサザシジスズセゼソゾタダチヂツヅテデトドハバヒビフブヘベホボウヴワヷヰヸヱヹヲヺヽヾ",
    ),
    ('\u{309a}', 8, "はぱひぴふぷへぺほぽハパヒピフプヘペホポ"),
    ('\u{110ba}', 7, "\u{11099}\u{1109a}\u{1109b}\u{1109c}\u{110a5}\u{110ab}"),
    ('\u{11127}', 0, "\u{11131}\u{1112e}\u{11132}\u{1112f}"),
    ('\u{1133e}', 0, "\u{11347}\u{1134b}"),
    ('\u{11357}', 0, "\u{11347}\u{1134c}"),
    ('\u{114b0}', 0, "\u{114b9}\u{114bc}"),
    ('\u{114ba}', 0, "\u{114b9}\u{114bb}"),
    ('\u{114bd}', 0, "\u{114b9}\u{114be}"),
    ('\u{115af}', 0, "\u{115b8}\u{115ba}\u{115b9}\u{115bb}"),
    ('\u{11930}', 0, "\u{11935}\u{11938}"),
];

/// Marks that RFC 5892 allows and `is_alphanumeric` does not know; ranges of code points.
const MARKS: &str = "300-33f 342 346-362 483-487 591-5af 658 6df-6e0 6ea-6ec 740-74a 7eb-7f3 7fd 818-819 82d 859-85b 898-89f 8ca-8d3 8e0-8e1 \
    8ea-8ef 93c 94d 951-954 9bc 9cd 9fe a3c a4d abc acd afd-aff b3c b4d-b55 bcd c3c c4d cbc ccd d3b-d3c d4d dca e47-e4c e4e eba \
    ec8-ecc f18-f19 f35 f37 f39 f3e-f3f f84 f86-f87 fc6 1037 1039-103a 135d-135f 1714-1715 1734 17b4-17b5 17c9-17d3 17dd \
    180b-180d 180f 1939-193b 1a60 1a75-1a7f 1ab0-1abd 1ac1-1acb 1b34 1b44 1b6b-1b73 1baa-1bab 1be6 1bf2-1bf3 1c37 1cd0-1cd2 \
    1cd4-1ce8 1ced 1cf4 1cf7-1cf9 1dc0-1dd2 1df5-1dff 20d0-20dc 20e1 20e5-20f0 2cef-2cf1 2d7f 302a-302f 3099-309a a66f a67c-a67d \
    a6f0-a6f1 a806 a82c a8c4 a8e0-a8f1 a92b-a92d a953 a9b3 a9c0 aabf aac1 aaf6 abec-abed fe00-fe0f fe20-fe2f";

/// What `is_alphanumeric` knows and RFC 5892 does not allow: figures in circles, ligatures, letters that are others in disguise.
const DISGUISED: &str = "aa b2-b3 b5 b9-ba bc-be 133 140 149 17f 1c6-1cc 1f3 2b0-2b8 2e0-2e4 345 374 37a 3d0-3d6 3f0-3f2 3f5 587 675-678 958-95f \
    9dc-9df 9f4-9f9 a33 a36 a59-a5b a5e b5c-b5d b72-b77 bf0-bf2 c78-c7e d58-d5e d70-d78 e33 eb3 edc-edd f2a-f33 f43 f4d f52 f57 \
    f5c f69 f73 f75-f79 f81 f93 f9d fa2 fa7 fac fb9 10fc 1369-137c 13f8-13fd 16ee-16f0 17f0-17f9 19da 1c80-1c88 1d2c-1d2e \
    1d30-1d3a 1d3c-1d4d 1d4f-1d6a 1d78 1d9b-1dbf 1e9a-1e9b 1f71 1f73 1f75 1f77 1f79 1f7b 1f7d-1fa7 1fb2-1fb4 1fb7 1fbe 1fc2-1fc4 \
    1fc7 1fd3 1fe3 1ff2-1ff4 1ff7 2070-2079 207f-2089 2090-209c 2102 2107 210a-2113 2115 2119-211d 2124 2128 212c-212d 212f-2139 \
    213c-213f 2145-2149 2150-2182 2185-2189 2460-249b 24d0-24ff 2776-2793 2c7c-2c7d 2cfd 2d6f 3007 3021-3029 3038-303a 309f 30ff \
    3131-318e 3192-3195 3220-3229 3248-324f 3251-325f 3280-3289 32b1-32bf a69c-a69d a6e6-a6ef a770 a7f2-a7f4 a7f8-a7f9 a830-a835 \
    ab5c-ab5f ab69 ab70-abbf f900-fa0d fa10 fa12 fa15-fa1e fa20 fa22 fa25-fa26 fa2a-fb1d fb1f-fb28 fb2a-fbb1 fbd3-fd3d fd50-fdc7 \
    fdf0-fdfb fe70-fe72 fe74-fefc ff10-ff19 ff41-ff5a ff66-ffdc";

fn is_in(table: &str, letter: char) -> bool {
    let number = |text: &str| u32::from_str_radix(text, 16).expect("the tables are hexadecimal");
    table.split_ascii_whitespace().any(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        (number(first)..=number(last)).contains(&u32::from(letter))
    })
}

/// Does it only stand on a letter before it?
pub(super) fn is_mark(letter: char) -> bool {
    is_in(MARKS, letter)
}

/// May a name have it, once large letters are small? Only for characters that are not ASCII.
pub(super) fn is_allowed(letter: char) -> bool {
    let styled = matches!(letter, '\u{1d360}'..='\u{1d7ff}' | '\u{1ec71}'..='\u{1f9ff}' | '\u{2f800}'..='\u{2fa1f}');
    is_mark(letter) || letter.is_alphanumeric() && !styled && !is_in(DISGUISED, letter)
}

fn class(letter: char) -> u8 {
    COMPOSED.iter().find(|(mark, ..)| *mark == letter).map_or(0, |(_, class, _)| *class)
}

/// The pairs that a mark makes.
fn pairs(row: &'static (char, u8, &'static str)) -> impl Iterator<Item = (char, char)> {
    let mut letters = row.2.chars();
    std::iter::from_fn(move || Some((letters.next()?, letters.next()?)))
}

/// Two characters as one.
fn together(letter: char, mark: char) -> Option<char> {
    let (a, b) = (u32::from(letter), u32::from(mark));
    match (letter, mark) {
        // Hangul is arithmetic: leading, middle and final sounds (Unicode §3.12).
        ('\u{1100}'..='\u{1112}', '\u{1161}'..='\u{1175}') => char::from_u32(0xac00 + ((a - 0x1100) * 21 + (b - 0x1161)) * 28),
        ('\u{ac00}'..='\u{d7a3}', '\u{11a8}'..='\u{11c2}') if (a - 0xac00) % 28 == 0 => char::from_u32(a + b - 0x11a7),
        _ => {
            let row = COMPOSED.iter().find(|(known, ..)| *known == mark)?;
            pairs(row).find(|(from, _)| *from == letter).map(|(_, to)| to)
        }
    }
}

/// Takes a letter apart, as far as it goes.
fn push_apart(letter: char, out: &mut Vec<char>) {
    let parts = COMPOSED.iter().find_map(|row| pairs(row).find(|(_, to)| *to == letter).map(|(from, _)| (from, row.0)));
    match parts {
        Some((from, mark)) => {
            push_apart(from, out);
            out.push(mark);
        }
        None => out.push(letter),
    }
}

/// Small letters in composed form (NFC): marks in order of their class, then each joined to its letter where one character has both.
pub(super) fn composed(text: impl Iterator<Item = char>) -> String {
    let mut apart = Vec::new();
    text.for_each(|letter| push_apart(letter, &mut apart));
    for run in apart.chunk_by_mut(|a, b| class(*a) > 0 && class(*b) > 0) {
        run.sort_by_key(|mark| class(*mark));
    }
    let mut out: Vec<char> = Vec::new();
    let (mut base, mut last) = (None, 0);
    for letter in apart {
        let class = class(letter);
        if let Some(at) = base
            && (last == 0 && at + 1 == out.len() || last > 0 && last < class)
            && let Some(one) = together(out[at], letter)
        {
            out[at] = one;
            continue;
        }
        if class == 0 {
            base = Some(out.len());
        }
        last = class;
        out.push(letter);
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn composition() {
        let cases = [
            ("u\u{308}", "ü"),
            ("e\u{302}\u{323}", "ệ"),
            ("ê\u{323}", "ệ"),
            ("ẹ\u{302}", "ệ"),
            ("o\u{31b}\u{301}", "ớ"),
            ("か\u{3099}", "が"),
            ("\u{1112}\u{1161}\u{11ab}", "한"),
            ("한글", "한글"),
            ("ᾶ", "ᾶ"),
            ("q\u{308}\u{301}", "q\u{308}\u{301}"),
            ("ǖ", "ǖ"),
            ("\u{308}u", "\u{308}u"),
            ("\u{bc6}\u{bbe}", "\u{bca}"),
        ];
        for (text, expected) in cases {
            assert_eq!(composed(text.chars()), expected, "{}", text.escape_unicode());
        }
    }

    #[test]
    fn letters() {
        let allowed = "üßςøñжא한例का\u{94d}๏";
        let refused = "☃€½²ﬁ①ª\u{200b}\u{ad}\u{2028}\u{202e} \u{e0041}𝐚🙂\u{f900}·";
        for letter in allowed.chars().filter(|letter| *letter != '๏') {
            assert!(is_allowed(letter), "{letter}");
        }
        for letter in refused.chars().filter(|letter| !letter.is_ascii()) {
            assert!(!is_allowed(letter), "{}", letter.escape_unicode());
        }
    }
}
