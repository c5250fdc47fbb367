"""The facts and word forms of the atlas, apart from the countries.

One thing is one entry, entries are set apart by semicolons. Most carry a companion, a word or phrase that goes with
this thing and no other (`_` stands for a space): it is what lets a learner see that two forms belong together.
"""


def _rows(names: str, text: str) -> list[dict[str, str]]:
    keys = names.split()
    entries = [entry.split() for entry in text.split(";") if entry.strip()]
    return [{key: word.replace("_", " ") for key, word in zip(keys, entry, strict=True)} for entry in entries]


def _words(text: str) -> list[str]:
    return text.split()


_ELEMENTS = _words("""
    hydrogen H helium He lithium Li beryllium Be boron B carbon C nitrogen N oxygen O fluorine F neon Ne sodium Na
    magnesium Mg aluminium Al silicon Si phosphorus P sulfur S chlorine Cl argon Ar potassium K calcium Ca scandium Sc
    titanium Ti vanadium V chromium Cr manganese Mn iron Fe cobalt Co nickel Ni copper Cu zinc Zn gallium Ga
    germanium Ge arsenic As selenium Se bromine Br krypton Kr rubidium Rb strontium Sr yttrium Y zirconium Zr niobium Nb
    molybdenum Mo technetium Tc ruthenium Ru rhodium Rh palladium Pd silver Ag cadmium Cd indium In tin Sn antimony Sb
    tellurium Te iodine I xenon Xe caesium Cs barium Ba lanthanum La cerium Ce praseodymium Pr neodymium Nd
    promethium Pm samarium Sm europium Eu gadolinium Gd terbium Tb dysprosium Dy holmium Ho erbium Er thulium Tm
    ytterbium Yb lutetium Lu hafnium Hf tantalum Ta tungsten W rhenium Re osmium Os iridium Ir platinum Pt gold Au
    mercury Hg thallium Tl lead Pb bismuth Bi polonium Po astatine At radon Rn francium Fr radium Ra actinium Ac
    thorium Th protactinium Pa uranium U neptunium Np plutonium Pu americium Am curium Cm berkelium Bk californium Cf
    einsteinium Es fermium Fm mendelevium Md nobelium No lawrencium Lr rutherfordium Rf dubnium Db seaborgium Sg
    bohrium Bh hassium Hs meitnerium Mt darmstadtium Ds roentgenium Rg copernicium Cn nihonium Nh flerovium Fl
    moscovium Mc livermorium Lv tennessine Ts oganesson Og""")

ELEMENTS = [
    {"name": name, "symbol": symbol, "number": str(number)}
    for number, (name, symbol) in enumerate(zip(_ELEMENTS[::2], _ELEMENTS[1::2], strict=True), 1)
]

# The SI units that have a name, without the two that need a longer explanation.
UNITS = _rows(
    "unit quantity sign",
    """metre length m; kilogram mass kg; second time s; ampere current A; kelvin temperature K; mole amount-of-substance mol;
    candela luminous-intensity cd; hertz frequency Hz; newton force N; pascal pressure Pa; joule energy J; watt power W;
    coulomb charge C; volt voltage V; farad capacitance F; ohm resistance Ω; siemens conductance S; weber magnetic-flux Wb;
    tesla flux-density T; henry inductance H; lumen luminous-flux lm; lux illuminance lx; becquerel radioactivity Bq;
    gray absorbed-dose Gy; katal catalytic-activity kat; radian angle rad; steradian solid-angle sr""",
)

# Species whose male, female and young all have names of their own.
ANIMALS = _rows(
    "species male female young home",
    """horse stallion mare foal paddock; elephant bull cow calf savanna; sheep ram ewe lamb sheepfold; pig boar sow piglet sty;
    goat billy nanny kid hillside; chicken rooster hen chick henhouse; deer stag doe fawn woodland; swan cob pen cygnet moat;
    hare jack jill leveret stubble-field; fox tod vixen cub burrow; peafowl peacock peahen peachick palace-garden;
    cat tomcat molly kitten windowsill; kangaroo boomer flyer joey outback; turkey gobbler turkey-hen poult turkey-run""",
)

# Species of which only the young has a name of its own.
YOUNG = _rows(
    "species young home",
    """dog puppy kennel; duck duckling duck-pond; goose gosling marsh; eagle eaglet eyrie; owl owlet belfry; pigeon squab loft;
    frog tadpole ditch; eel elver estuary; hedgehog hoglet brushwood; salmon parr gravel-bed; butterfly caterpillar nettle-patch;
    spider spiderling cobweb; oyster spat reef; platypus puggle billabong; llama cria highlands""",
)

FAMILY = _rows(
    "he she place",
    """king queen throne; man woman crowd; boy girl schoolyard; father mother household; son daughter cradle;
    brother sister treehouse; uncle aunt picnic; nephew niece birthday; grandfather grandmother rocking-chair;
    grandson granddaughter scrapbook; husband wife anniversary; prince princess ballroom; duke duchess dukedom;
    emperor empress empire; count countess hunting-lodge; baron baroness manor; lord lady estate; actor actress stage;
    waiter waitress restaurant; host hostess banquet; hero heroine legend; monk nun cloister; widower widow graveside;
    bridegroom bride altar; stepfather stepmother stepfamily; stepson stepdaughter custody; godfather godmother christening;
    landlord landlady lodging-house; policeman policewoman police-station; sportsman sportswoman sports-club;
    businessman businesswoman boardroom; steward stewardess cabin; headmaster headmistress assembly-hall;
    wizard witch cauldron; salesman saleswoman showroom; spokesman spokeswoman press-conference;
    chairman chairwoman committee; heir heiress inheritance; masseur masseuse spa; fiancé fiancée engagement-party""",
)

TRADES = _rows(
    "worker place tool",
    """teacher school chalk; doctor hospital stethoscope; baker bakery oven; farmer farm plough; miner mine pickaxe;
    barrister court wig; priest church chalice; cook kitchen pan; sailor ship anchor; pilot aeroplane throttle;
    librarian library catalogue; gardener garden spade; smith forge tongs; carpenter workshop saw; brewer brewery barrel;
    chemist laboratory flask; painter studio brush; clerk office stapler; soldier barracks rifle; miller mill millstone;
    tailor shop needle; astronomer observatory telescope; dramatist theatre script; potter pottery wheel;
    shepherd pasture crook; banker bank ledger; forester forest axe; mechanic garage spanner; curator museum exhibit;
    zookeeper zoo fodder; jockey racecourse saddle; archivist archive folder; lifeguard beach whistle;
    hairdresser salon scissors; vintner vineyard grapes""",
)

ADJECTIVES = _rows(
    "base more most thing",
    """tall taller tallest steeple; short shorter shortest rope; long longer longest tunnel; small smaller smallest pebble;
    big bigger biggest warehouse; cold colder coldest glacier; warm warmer warmest blanket; hot hotter hottest furnace;
    dark darker darkest cave; bright brighter brightest lantern; fast faster fastest greyhound; slow slower slowest tortoise;
    strong stronger strongest rower; weak weaker weakest battery; young younger youngest sapling; old older oldest manuscript;
    rich richer richest merchant; poor poorer poorest beggar; cheap cheaper cheapest trinket; clean cleaner cleanest towel;
    deep deeper deepest well; high higher highest cliff; low lower lowest ceiling; wide wider widest avenue;
    narrow narrower narrowest alley; thick thicker thickest fog; thin thinner thinnest slice; heavy heavier heaviest anvil;
    light lighter lightest feather; easy easier easiest riddle; hard harder hardest exam; soft softer softest cushion;
    loud louder loudest trumpet; quiet quieter quietest reading-room; sweet sweeter sweetest syrup;
    sharp sharper sharpest razor; smooth smoother smoothest marble; rough rougher roughest bark; kind kinder kindest nurse;
    brave braver bravest firefighter; wise wiser wisest counsellor; fresh fresher freshest lettuce; safe safer safest harbour;
    steep steeper steepest staircase; simple simpler simplest recipe; strange stranger strangest dream;
    tight tighter tightest knot; calm calmer calmest lagoon; dry drier driest desert; wet wetter wettest moor;
    busy busier busiest junction; funny funnier funniest clown; tidy tidier tidiest desk; lazy lazier laziest lodger""",
)

ADVERBS = _rows(
    "adjective adverb who",
    """slow slowly caravan; quick quickly messenger; quiet quietly burglar; careful carefully surgeon; loud loudly auctioneer;
    calm calmly captain; brave bravely knight; wise wisely elder; kind kindly matron; happy happily toddler;
    sudden suddenly squall; gentle gently midwife; proud proudly champion; polite politely butler; patient patiently angler;
    clear clearly announcer; bright brightly comet; safe safely convoy; honest honestly witness; nervous nervously candidate;
    cheerful cheerfully milkman; angry angrily wasp; silent silently submarine; eager eagerly apprentice; sad sadly mourner;
    neat neatly typist; smooth smoothly lift; firm firmly umpire; graceful gracefully skater; clever cleverly inventor;
    bold boldly explorer; weary wearily pilgrim; secret secretly spy; serious seriously professor""",
)

OPPOSITES = _rows(
    "a b thing",
    """happy unhappy marriage; fair unfair verdict; known unknown author; likely unlikely outcome; certain uncertain future;
    clear unclear instruction; usual unusual request; possible impossible task; patient impatient customer;
    polite impolite reply; perfect imperfect copy; honest dishonest trader; regular irregular heartbeat;
    legal illegal contract; logical illogical argument; visible invisible ink; correct incorrect sum;
    complete incomplete collection; pleasant unpleasant smell; willing unwilling helper; popular unpopular mayor;
    healthy unhealthy diet; comfortable uncomfortable sofa; necessary unnecessary expense; stable unstable ladder;
    tidy untidy bedroom; safe unsafe scaffold; mature immature cheese; formal informal invitation; reliable unreliable clock""",
)

_REGULAR_VERBS = _rows(
    "base with",
    """walk along_the_lane; talk about_the_harvest; jump over_the_ditch; play with_the_ball; work in_the_quarry; cook the_soup;
    paint the_fence; help the_neighbours; wait for_the_bus; listen to_the_radio; look at_the_stars; climb up_the_rope-ladder;
    call for_the_ferryman; clean the_windows; laugh at_the_joke; learn the_poem; pull the_sledge; push the_cart;
    rest in_the_shade; sail across_the_bay; shout from_the_balcony; ask for_directions; answer the_telephone; open the_parcel;
    follow the_footprints; knock at_the_gate; lift the_crate; march to_the_drum; pack the_suitcase; pick the_cherries;
    plant the_seedlings; pour the_tea; print the_leaflets; roll the_hoop; row across_the_lake; search for_the_treasure;
    stretch after_the_race; turn the_handle; visit the_lighthouse; wander through_the_woods; watch the_film;
    whisper behind_the_screen; wash the_dishes; count the_coins; mend the_net; repair the_bicycle; collect the_shells""",
)

_OTHER_VERBS = _rows(
    "base third past ing with",
    """sing sings sang singing in_the_choir; swim swims swam swimming in_the_pool; run runs ran running round_the_track;
    write writes wrote writing the_diary; drive drives drove driving the_lorry; ride rides rode riding the_pony;
    speak speaks spoke speaking to_the_jury; eat eats ate eating the_pie; drink drinks drank drinking the_lemonade;
    think thinks thought thinking about_the_puzzle; dance dances danced dancing the_waltz; bake bakes baked baking the_bread;
    smile smiles smiled smiling at_the_camera; hope hopes hoped hoping for_sunshine; carry carries carried carrying the_basket;
    study studies studied studying for_the_test; sleep sleeps slept sleeping in_the_hammock; fly flies flew flying the_kite;
    draw draws drew drawing the_portrait; stand stands stood standing on_the_platform; dig digs dug digging the_trench;
    hide hides hid hiding behind_the_curtain; throw throws threw throwing the_javelin; build builds built building the_hut;
    sell sells sold selling the_raffle-tickets; feed feeds fed feeding the_ducklings; grow grows grew growing the_pumpkins""",
)


def _third(verb: str) -> str:
    return f"{verb}es" if verb.endswith(("ch", "sh", "s")) else f"{verb}s"


VERBS = [
    *(verb | {"third": _third(verb["base"]), "past": f"{verb['base']}ed", "ing": f"{verb['base']}ing"} for verb in _REGULAR_VERBS),
    *_OTHER_VERBS,
]  # fmt: skip

_REGULAR_NOUNS = _rows(
    "one place",
    """apple orchard; bottle cellar; book bookcase; bridge canyon; candle chapel; carpet hallway; chair dining-room; cloud sky;
    coin purse; cup cupboard; door corridor; flower meadow; garment wardrobe; hammer toolbox; hat hatbox; island archipelago;
    jacket cloakroom; kettle campsite; key keyring; lamp lamp-shop; letter postbag; map atlas; mirror bathroom; mountain range;
    nail plank; orange grove; pencil schoolbag; picture gallery; pillow dormitory; plate dresser; pot greenhouse;
    ribbon sewing-box; ring jewel-box; river valley; rock shoreline; shirt laundry; shoe shoebox; spoon drawer; stone riverbed;
    table canteen; ticket booth; tower castle; town county; umbrella porch; village countryside; wall courtyard;
    window façade; horse stable; ship harbour; train depot; star galaxy; engine hangar; clock clock-tower; tent festival""",
)

PLURALS = [
    *(noun | {"many": f"{noun['one']}s"} for noun in _REGULAR_NOUNS),
    *_rows(
        "one many place",
        """box boxes attic; dish dishes sink; glass glasses tavern; bush bushes hedgerow; city cities province;
        berry berries bramble; baby babies nursery; knife knives knife-block; leaf leaves gutter; loaf loaves bread-bin;
        shelf shelves pantry; wolf wolves tundra; child children playground; tooth teeth jaw; mouse mice barn; ox oxen stockyard""",
    ),
]

MONTHS = _words("January February March April May June July August September October November December")
WEEKDAYS = _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
