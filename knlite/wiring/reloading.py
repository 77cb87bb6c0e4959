"""What reloading does to instances: new ones in the place of old ones, and none out of use."""

from contextlib import AsyncExitStack

from knlite.controlplane.images import Images
from knlite.controlplane.inplace import InPlace
from knlite.controlplane.outofuse import OutOfUse
from knlite.controlplane.reloader import Reloader
from knlite.controlplane.resting import Resting
from knlite.controlplane.supervisor import Supervisor
from knlite.wiring.basics import Basics


def change_in_place(
    reloader: Reloader,
    basics: Basics,
    images: Images,
    supervisor: Supervisor,
    resting: Resting,
    held: AsyncExitStack,
) -> None:
    """Let *reloader* do so until *held* ends."""
    in_place = InPlace(images, supervisor, resting)
    reloader.replace_by(in_place.replace)
    out_of_use = OutOfUse(basics.registry, basics.clock, in_place.rest)
    held.enter_context(basics.registry.listening(out_of_use.note))
