"""A switch that speaks AMI like Asterisk 22, with a population of debtors behind its trunk."""

from cadencia.telephony.simulator.dialplan import Waits
from cadencia.telephony.simulator.population import Population, Refusal, WorldPopulation
from cadencia.telephony.simulator.server import SwitchServer
from cadencia.telephony.simulator.switch import SIMULATED_CONFIG, Faults, SimulatedSwitch

__all__ = [
    "SIMULATED_CONFIG",
    "Faults",
    "Population",
    "Refusal",
    "SimulatedSwitch",
    "SwitchServer",
    "Waits",
    "WorldPopulation",
]
