"""The distributions from which scenes are drawn: the renderer's definition, in one place.

Sizes, speeds and counts of footage come from `params.yaml` (`render`); what stands here defines the five
kinds. Lengths marked "of the frame" are shares of the frame's shorter side, so a scene looks alike at every
size. A pair is a range, drawn uniformly.
"""

Range = tuple[float, float]

DENSITY = 2
"""Texels per screen pixel: linear interpolation of a texture limited to the screen's Nyquist rate is then
nearly exact."""
SOFTNESS = 0.9
"""Standard deviation, in texels, of the low-pass that limits textures to that rate (about one pixel's own
integration)."""
EDGE = 1.0
"""Width, in screen pixels, of the ramp at a mask's edge: the coverage of a pixel by a straight edge."""

# Texture: natural but moderate contrast, or small models learn edges of single pixels before they learn
# motion.
PICTURE_SHARE = 0.75
"""Share of textures cut from pictures; the others are procedural."""
PICTURE_SCALE: Range = (1.0, 2.2)
"""Texels per pixel of a picture: 2 would show the picture at its own resolution, less shows finer detail."""
MEAN: Range = (0.35, 0.65)
CONTRAST: Range = (0.1, 0.16)
"""Mean and standard deviation of a texture's values, of full scale."""
TINT: Range = (0.85, 1.15)
"""Gain of each colour channel."""
SATURATION: Range = (0.1, 0.45)
"""How far procedural colours stand from grey."""
CALM_CONTRAST: Range = (0.04, 0.08)
CALM_OFFSET: Range = (0.15, 0.25)
"""Contrast, and distance of the mean from one half (either way), of thin parts, which must stand out from
what is behind."""
SPECTRUM: Range = (1.2, 1.7)
"""Exponent of the amplitude spectrum 1/f^a of procedural noise; pictures of nature lie near 1.2."""
TEXTURE_PERIOD: Range = (10.0, 24.0)
"""Period of stripes and checks, screen pixels."""

# Textures of scenes with a camera of their own (`render.camera`).
ANY_CONTRAST: Range = (0.08, 0.26)
"""In place of CONTRAST; photographs of whole scenes lie around 0.2."""
LEAF_AREA = 400.0
"""Texels per leaf: with the radii below every place is painted over some twice."""
LEAF_RADIUS: Range = (4.0, 0.35)
"""Smallest radius, texels, and largest, of the tile's shorter side."""
LEAF_SHAPE: Range = (0.3, 1.0)
"""Shorter axis over the longer."""
LEAF_GRAIN: Range = (0.01, 0.06)
"""Deviation of the noise on leaves, of full scale."""

# Motion: every path is a sum of smooth waves, hence curved, accelerating and bounded for any length of video.
ORBIT: Range = (0.06, 0.20)
"""Radius of a path, of the frame; with a given speed it decides how strongly the path curves."""
RATE_RATIO: Range = (0.6, 1.4)
"""Rates of a path's horizontal and vertical waves, relative to the rate that gives the drawn speed."""
CAMERA_ROLL: Range = (0.04, 0.12)
CAMERA_ZOOM: Range = (0.04, 0.10)
OBJECT_ROLL: Range = (0.2, 0.8)
OBJECT_ZOOM: Range = (0.05, 0.15)
"""Amplitudes: rolls in radians, zooms in log scale."""
TURN_SHARE = 0.25
"""Speed of roll and of zoom at a layer's rim, each, relative to the speed of its path."""
FAST_FACTOR = 2.0
"""fast_motion draws its speed from [fast, FAST_FACTOR x fast], all other kinds from [slow, fast]."""

# The kinds.
OBJECTS = {
    "plain": (0, 2),
    "occlusion": (4, 7),
    "fast_motion": (2, 3),
    "repetition": (0, 1),
    "lighting": (1, 3),
}
"""Number of free objects, both ends included."""
OBJECT_RADIUS = {
    "plain": (0.10, 0.18),
    "occlusion": (0.14, 0.30),
    "fast_motion": (0.12, 0.24),
    "repetition": (0.08, 0.14),
    "lighting": (0.12, 0.24),
}
"""Radius of free objects, of the frame."""
CAMERA_SHARE = {"plain": 0.97, "occlusion": 0.6, "fast_motion": 0.8, "repetition": 0.5, "lighting": 0.85}
"""Share c of the scene's speed that is the camera's; the objects' own is sqrt(1 - c^2), so that an object's
total (the two are independent) has the scene's root mean square speed."""
SPREAD = 0.36
"""Largest distance of an object's middle from the frame's at which it may start, of the frame's sides."""

# A camera in a hand (`footage`), and what scenes with one have besides their kind.
ANY_RADIUS: Range = (0.03, 0.28)
"""Radius of the further objects, of the frame."""
ZOOM_REACH: Range = (0.1, 0.35)
TURN_REACH: Range = (0.15, 0.8)
"""Amplitudes of slow zooms (log scale) and turns (radians)."""
SHAKE_PERIOD: Range = (3.0, 12.0)
"""Frames."""
BLUR_STEP = 1.5
"""Pixels between two moments of an exposure; textures are smooth over about one."""
NOISE_FLOOR = 0.25
"""Share of the noise's variance at mid grey that does not come from light."""

# Repetition.
REPETITION_SPEED = 0.5
"""Repetition draws its speed from the upper part of the range that starts here: slow repetition is never
ambiguous."""
ALIAS: Range = (2.3, 3.6)
"""Frames in which a pattern advances by one period. Between two references, two frames apart, that is 0.56
to 0.87 of a period, so the nearer match lies in the wrong direction; from frame to frame it is below one
half and unambiguous."""
MIN_PITCH = 6.0
"""Shortest period of a repeated structure, screen pixels."""
WHEEL_RADIUS: Range = (0.22, 0.36)
WHEELS = (1, 3)
SWING = 2.0
"""Speed of rims and feet relative to their body's: those of a rolling wheel and of a walker reach twice the
body's."""
SPOKE_WIDTH: Range = (0.25, 0.4)
"""Width of spokes and bars, of their period."""
FENCE_RADIUS: Range = (0.35, 0.6)
"""Radius of a fence's path, of the frame: nearly straight within a window."""
LEG: Range = (0.12, 0.18)
"""Length of one of a leg's two segments, of the frame."""
LEG_PAIRS = (1, 3)
STRIDE: Range = (0.3, 0.5)
"""Amplitude of the hip's swing, radians; the knee follows a quarter of a period later with the same
amplitude."""

# Lighting: periods are stated as the distance that the scene moves meanwhile, so slow footage has slow light.
LIGHT_TRAVEL: Range = (14.0, 40.0)
"""Screen pixels at the scene's speed per period of gain, gamma and shadow."""
GAIN: Range = (0.12, 0.28)
GAMMA: Range = (0.15, 0.35)
"""Amplitudes of the logarithms of gain and gamma."""
SHADOW: Range = (0.35, 0.6)
"""Depth of a moving shadow: the share of light that it takes."""
SHADOW_RADIUS: Range = (0.25, 0.5)
SHADOW_EDGE = 0.12
"""Radius and width of a shadow's soft edge, of the frame."""
FLASH: Range = (0.2, 0.45)
FLASH_TRAVEL: Range = (10.0, 20.0)
FLASH_WIDTH = 0.1
"""Height of a repeated flash (log gain), its period as a distance, and its standard deviation as a share of
the period."""
EFFECTS = (2, 3)
"""How many of the four effects a scene has."""
